/** Passwords of clients (RFC 7617): Argon2id, slow on purpose; a login that was right a moment ago is not paid for again. */
import { createHmac, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

/** As OWASP asks for Argon2id: 19 MiB, 2 passes, 1 lane; version and salt are in the hash. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A client and its server write the same text alike (RFC 7617, section 2.1). */
const normalised = (password: string): string => password.normalize('NFC');

/** The PHC string to keep of a password. */
export const hashPassword = (password: string): Promise<string> => hash(normalised(password), COST);

/** 160 random bits that can be typed and pasted anywhere. */
export const generatePassword = (): string => randomBytes(20).toString('base64url');

/** `busy`: too many are being checked already. */
export type Checked = 'right' | 'wrong' | 'busy';

export interface PasswordCheck {
  /**
   * Whether it is the password behind the PHC string; where there is no string (null) that takes as long, and it is not.
   * @param onCost Called once before the slow way is taken: a right password that was right a moment ago, or is being checked, costs nothing.
   */
  check(password: string, phc: string | null, onCost: () => void): Promise<Checked>;
}

/** Milliseconds for which a right password is remembered. */
const REMEMBERED_MS = 5 * 60_000;
const REMEMBERED = 1_000;
/** Hashes that may be made at once; each takes a thread for some 20 ms and 19 MiB. */
const AT_ONCE = 2;
const WAITING = 32;

/** Runs `AT_ONCE` tasks together, the others in turn; null where too many wait. */
const createLine = () => {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(task: () => Promise<T>): Promise<T | null> => {
    if (waiting.length >= WAITING) return null;
    if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
};

/** @param monotonic Milliseconds on a clock that never goes back. */
export function createPasswordCheck(monotonic: () => number): PasswordCheck {
  // Nobody who reads this process's memory later can try passwords against what is remembered without this key.
  const key = randomBytes(32);
  const line = createLine();
  const right = new Map<string, number>();
  const pending = new Map<string, Promise<Checked>>();
  const nobodys = hashPassword(generatePassword());

  const remember = (name: string): void => {
    const [oldest] = right.keys();
    if (right.size >= REMEMBERED && oldest !== undefined) right.delete(oldest);
    right.set(name, monotonic() + REMEMBERED_MS);
  };
  const slowly = async (password: string, phc: string | null): Promise<Checked> => {
    const against = phc ?? (await nobodys);
    const is = await line(() => verify(against, normalised(password)));
    if (is === null) return 'busy';
    return is && phc !== null ? 'right' : 'wrong';
  };
  return {
    async check(password, phc, onCost) {
      // The PHC string is part of the name, so that a changed password is asked for anew.
      const name = createHmac('sha256', key)
        .update(JSON.stringify([phc, password]))
        .digest('base64');
      if ((right.get(name) ?? -1) > monotonic()) return 'right';
      const running = pending.get(name);
      if (running) return running;
      onCost();
      const checking = slowly(password, phc);
      pending.set(name, checking);
      try {
        const checked = await checking;
        if (checked === 'right') remember(name);
        return checked;
      } finally {
        pending.delete(name);
      }
    },
  };
}
