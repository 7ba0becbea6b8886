/** Logins that failed, so that passwords cannot be guessed at leisure. In memory: a restart forgets them. */

/** Failures within the window after which no password is looked at any more, not even the right one. */
const OF_CLIENT_AND_PEER = 5;
const OF_PEER = 20;
/** Over all peers. A peer from which the client got in lately is not held up by these two, which others can use up. */
const OF_CLIENT = 50;
const WINDOW_MS = 15 * 60_000;
const KNOWN_GOOD_MS = 24 * 3_600_000;
/** Names that are kept at most; the oldest are forgotten first. */
const KEPT = 100_000;
const LONGEST_NAME = 64;

/** The network that a peer can take addresses from: the address itself, of IPv6 its /64. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(8 - groups.length - last.length, 0)).fill('0');
  return [...groups, ...zeros, ...last]
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}

interface Failures {
  count: number;
  /** When the window began. */
  since: number;
}

export interface Attempts {
  /** Seconds until a password is looked at again; 0: now. */
  heldUp(client: string, address: string): number;
  /** To be called before a password is looked at: it counts as a failure until it turns out right. */
  begin(client: string, address: string): void;
  /** The password was not looked at after all, or was right. */
  takeBack(client: string, address: string): void;
  succeed(client: string, address: string): void;
}

const put = <V>(map: Map<string, V>, name: string, value: V): void => {
  map.delete(name);
  const [oldest] = map.keys();
  if (map.size >= KEPT && oldest !== undefined) map.delete(oldest);
  map.set(name, value);
};

/** @param monotonic Milliseconds on a clock that never goes back. */
export function createAttempts(monotonic: () => number): Attempts {
  const failures = new Map<string, Failures>();
  const good = new Map<string, number>();

  const namesOf = (client: string, address: string) => {
    const peer = networkOf(address);
    const short = client.slice(0, LONGEST_NAME);
    return { both: JSON.stringify([short, peer]), peer: JSON.stringify([peer]), client: JSON.stringify([short, null]) };
  };
  const current = (name: string): Failures | undefined => {
    const found = failures.get(name);
    return found && monotonic() - found.since < WINDOW_MS ? found : undefined;
  };
  /** Milliseconds until the window ends, where there are too many failures. */
  const left = (name: string, most: number): number => {
    const found = current(name);
    return found && found.count >= most ? found.since + WINDOW_MS - monotonic() : 0;
  };
  const add = (name: string, count: number): void => {
    const before = current(name);
    put(failures, name, { count: Math.max((before?.count ?? 0) + count, 0), since: before?.since ?? monotonic() });
  };
  const addAll = (client: string, address: string, count: number): void => {
    for (const name of Object.values(namesOf(client, address))) add(name, count);
  };
  return {
    heldUp: (client, address) => {
      const names = namesOf(client, address);
      const isGood = (good.get(names.both) ?? -1) > monotonic();
      const byOthers = isGood ? [] : [left(names.peer, OF_PEER), left(names.client, OF_CLIENT)];
      return Math.ceil(Math.max(left(names.both, OF_CLIENT_AND_PEER), ...byOthers) / 1000);
    },
    begin: (client, address) => {
      addAll(client, address, 1);
    },
    takeBack: (client, address) => {
      addAll(client, address, -1);
    },
    succeed: (client, address) => {
      const { both } = namesOf(client, address);
      addAll(client, address, -1);
      failures.delete(both);
      put(good, both, monotonic() + KNOWN_GOOD_MS);
    },
  };
}
