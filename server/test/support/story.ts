import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { openStore, type Store } from '../../src/adapters/sql/store.ts';
import { plainAuthority } from '../../src/domain/authorities.ts';
import type { Client } from '../../src/domain/principals.ts';
import { checkPath } from '../../src/fhir/feature-paths.ts';
import { defaultOurs } from '../../src/fhir/ours.ts';
import type { Patient } from '../../src/fhir/r4.ts';
import { isRefusal } from '../../src/fhir/refusal.ts';
import { createLinkageIndex } from '../../src/matching/linkage-index/index.ts';
import type { RuleSet } from '../../src/matching/model.ts';
import type { Accepted, CommandResult, LoadedEntry } from '../../src/registry/commands.ts';
import type { Decider } from '../../src/registry/decide.ts';
import { createExtractor, createStoredExtractor } from '../../src/registry/extract.ts';
import { type Address, takeIn } from '../../src/registry/intake.ts';
import { createAuthorities } from '../../src/registry/policy/authorities.ts';
import { prepare } from '../../src/registry/prepare.ts';
import { createRegistrar, type Registrar } from '../../src/registry/registrar.ts';
import { readRules } from '../../src/rules/read-rules.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** Decision rules from a file of `config/`, or as the value of one. */
export function rulesOf(source: string | object): RuleSet {
  const input: unknown = typeof source === 'string' ? JSON.parse(readFileSync(join(root, 'config', source), 'utf8')) : source;
  const read = readRules(input, {
    fileName: 'rules',
    systems: new Set(['system1', 'system2', 'system3']),
    checkPath,
    hash: (text) => createHash('sha256').update(text).digest('hex'),
  });
  if (read.kind === 'refused') throw new Error(read.complaints.join('\n'));
  return read.ruleSet;
}

/** Ids and times that are the same in every run. */
export function countingIds(prefix: string): () => string {
  let n = 0;
  return () => `${prefix}${String(++n).padStart(6, '0')}`;
}

export const systemOf = (client: string): string => `http://${client}.example.org`;

export interface Person {
  readonly given?: string;
  readonly family?: string;
  readonly birthDate?: string;
  readonly phone?: string;
  readonly gender?: 'male' | 'female' | 'other' | 'unknown';
  readonly nationalId?: string;
  readonly active?: boolean;
}

/** A Patient of `client` whose own identifier has the value `name`. */
export const patientOf = (client: string, name: string, person: Person): Patient => ({
  resourceType: 'Patient',
  identifier: [
    { system: systemOf(client), value: name },
    ...(person.nationalId === undefined ? [] : [{ system: 'http://clientregistry.org/nationalid', value: person.nationalId }]),
  ],
  ...(person.active !== undefined && { active: person.active }),
  name: [
    { use: 'official', ...(person.family && { family: person.family }), ...(person.given && { given: person.given.split(' ') }) },
  ],
  ...(person.phone && { telecom: [{ system: 'phone', value: person.phone }] }),
  ...(person.gender && { gender: person.gender }),
  ...(person.birthDate && { birthDate: person.birthDate }),
});

const POST: Address = { method: 'POST', target: { kind: 'none' }, ifMatch: null };

export interface StoryOptions {
  readonly dataDir: string;
  readonly rules: string | object;
  readonly clients?: readonly string[];
  /** Systems of clients whose names are not `systemOf`. */
  readonly systems?: Readonly<Record<string, string>>;
}

/** A registry on its real store, told as an identity story: who submits whom, and who is linked to whom then. */
export class Story {
  readonly store: Store;
  readonly rules: RuleSet;
  readonly decider: Decider;
  private readonly registrar: Registrar;
  private readonly clients: readonly Client[];

  private constructor(store: Store, decider: Decider, registrar: Registrar, clients: readonly Client[]) {
    this.store = store;
    this.decider = decider;
    this.rules = decider.rules;
    this.registrar = registrar;
    this.clients = clients;
  }

  static async open({
    dataDir,
    rules: source,
    clients = ['clinicA', 'clinicB', 'clinicC', 'lab'],
    systems = {},
  }: StoryOptions): Promise<Story> {
    const rules = rulesOf(source);
    const store = openStore(dataDir, { features: rules.features });
    let tick = Date.parse('2026-01-01T00:00:00.000Z') + (await store.ledger.head()).sequence * 1000;
    const clock = { now: () => new Date((tick += 1000)).toISOString(), monotonic: () => tick };
    const decider = {
      rules,
      index: createLinkageIndex(rules, { reserve: 2 ** 20 }),
      clock,
      newId: countingIds(`id-${(await store.ledger.head()).sequence}-`),
      extract: createStoredExtractor(rules.features),
    };
    const indexed = await prepare({
      ledger: store.ledger,
      scan: store.scan,
      decider,
      progress: () => undefined,
    });
    const registrar = createRegistrar({
      ledger: store.ledger,
      decider,
      indexed,
      limits: { batch: 64, queueLength: 10_000, queueAge: Number.MAX_SAFE_INTEGER },
      pause: () => setImmediate(),
    });
    const known = clients.map((name): Client => ({
      name,
      displayName: name,
      systems: [systems[name] ?? systemOf(name)],
      scopes: [],
      disabled: false,
    }));
    return new Story(store, decider, registrar, known);
  }

  /** The submission that a Patient makes, or why it makes none. */
  private take(client: string, patient: unknown, address: Address = POST) {
    return takeIn(patient, address, client, {
      authorities: createAuthorities(
        [plainAuthority({ uri: 'http://clientregistry.org/nationalid', kind: 'shared', owner: null, name: 'National id' })],
        this.clients,
        'open',
      ),
      ours: defaultOurs,
      extract: createExtractor(this.rules.features),
    });
  }

  /** Sends any Patient; refusals come back as results. */
  async send(client: string, patient: unknown, address?: Address): Promise<CommandResult> {
    const taken = this.take(client, patient, address);
    if (isRefusal(taken)) return { kind: 'refused', refusal: taken };
    return this.registrar.execute({
      kind: 'submit',
      sender: { agent: client, address: '127.0.0.1', requestId: 'story' },
      submission: taken.submission,
    });
  }

  /** `clinicA` submits its record `name`. */
  async submits(client: string, name: string, person: Person): Promise<Accepted> {
    const result = await this.send(client, patientOf(client, name, person));
    if (result.kind !== 'accepted') throw new Error(JSON.stringify(result));
    return result;
  }

  /** `clinicA` loads its records, by name, all at once. */
  loads(client: string, people: readonly (readonly [name: string, person: Person])[]): Promise<readonly LoadedEntry[]> {
    return this.loadsPatients(
      client,
      people.map(([name, person]) => patientOf(client, name, person)),
    );
  }

  async loadsPatients(client: string, patients: readonly object[]): Promise<readonly LoadedEntry[]> {
    const submissions = patients.map((patient) => {
      const taken = this.take(client, patient);
      if (isRefusal(taken)) throw new Error(JSON.stringify(taken));
      return taken.submission;
    });
    const sender = { agent: client, address: '', requestId: 'story' };
    const result = await this.registrar.execute({ kind: 'load', sender, submissions, what: 'import story' });
    if (result.kind !== 'loaded') throw new Error(JSON.stringify(result));
    return result.entries;
  }

  private async decide(
    verdict: 'same' | 'different' | 'undecided',
    pairs: readonly (readonly [string, string])[],
  ): Promise<CommandResult> {
    const ids = await Promise.all(pairs.map(async ([a, b]) => ({ a: await this.idOf(a), b: await this.idOf(b) })));
    return this.registrar.execute({
      kind: 'adjudicate',
      sender: { agent: 'steward', address: '', requestId: '' },
      adjudication: { verdict, pairs: ids },
    });
  }

  /** Records are named `name@client`. */
  breaks = (...pairs: readonly (readonly [string, string])[]): Promise<CommandResult> => this.decide('different', pairs);
  joins = (...pairs: readonly (readonly [string, string])[]): Promise<CommandResult> => this.decide('same', pairs);
  takesBack = (...pairs: readonly (readonly [string, string])[]): Promise<CommandResult> => this.decide('undecided', pairs);

  private async keyOf(record: string): Promise<number> {
    const [value = '', client = ''] = record.split('@');
    const system = this.clients.find((one) => one.name === client)?.systems[0] ?? '';
    const key = await this.store.ledger.named('', system, value);
    if (key === undefined) throw new Error(`no record ${record}`);
    return key;
  }

  async idOf(record: string): Promise<string> {
    return (await this.store.ledger.record(await this.keyOf(record)))?.id ?? '';
  }

  /** The CRUID of a record. */
  async cruidOf(record: string): Promise<string> {
    const stored = await this.store.ledger.record(await this.keyOf(record));
    return (stored && (await this.store.ledger.golden(stored.golden))?.id) ?? '';
  }

  /** Where a CRUID leads: itself while active, else the one that replaced it, else nothing. */
  async resolves(cruid: string): Promise<string | null> {
    const named = await this.store.ledger.resolveId(cruid, '');
    const golden = named?.kind === 'golden' ? await this.store.ledger.golden(named.key) : undefined;
    if (!golden) return null;
    if (golden.active) return cruid;
    return golden.replacedBy === null ? null : ((await this.store.ledger.golden(golden.replacedBy))?.id ?? null);
  }

  /** Everybody's link, as `G1 ← anna@clinicA (auto)`; golden records are numbered in order of their first record. */
  async links(): Promise<readonly string[]> {
    const lines: string[] = [];
    const numbers = new Map<number, number>();
    const { nextRecord } = await this.store.ledger.head();
    for (let key = 1; key < nextRecord; key++) {
      const record = await this.store.ledger.record(key);
      const link = (await this.store.ledger.linksOf(key)).find((one) => one.until === null);
      if (!record || !link) throw new Error(`record ${key} has no link`);
      if (!numbers.has(link.golden)) numbers.set(link.golden, numbers.size + 1);
      lines.push(`G${numbers.get(link.golden)} ← ${record.identity.value}@${record.source} (${link.origin})`);
    }
    return lines;
  }

  /** The groups as sorted lists of `name@client`. */
  async groups(): Promise<readonly (readonly string[])[]> {
    const groups = Map.groupBy(await this.links(), (line) => line.split(' ')[0]);
    return [...groups.values()]
      .map((lines) => lines.map((line) => line.split(' ')[2] ?? '').sort())
      .sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
  }

  /** Kinds of the record's open review tasks. */
  async flags(record: string): Promise<readonly string[]> {
    return (await this.store.ledger.record(await this.keyOf(record)))?.flags ?? [];
  }

  async close(): Promise<void> {
    await this.registrar.close();
    this.store.close();
  }
}
