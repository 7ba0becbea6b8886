import type { RecordIdentifier, Version } from '../../src/domain/identity.ts';
import {
  type Comparison,
  type FeatureSpec,
  type FeatureValues,
  fieldComparison,
  type MatchingLimits,
  type Rule,
  type RuleSet,
} from '../../src/matching/model.ts';
import type { Accepted, Command, Sender, Submission } from '../../src/registry/commands.ts';
import type { StoredRecord } from '../../src/registry/ports.ts';
import type { Chance } from './chance.ts';
import { Poison, POISONED } from './faulty-store.ts';

const FIELDS = ['given', 'family', 'birth', 'phone', 'sex'] as const;
type Person = Readonly<Record<(typeof FIELDS)[number], string>>;

/** So few values that many people resemble one another. */
const VALUES: Readonly<Record<keyof Person, readonly string[]>> = {
  given: ['ana', 'anna', 'anne', 'bela', ''],
  family: ['okot', 'okoth', 'auma'],
  birth: ['1990-01-01', '1990-01-02', '1985-07-15'],
  phone: ['1', '2', '3', ''],
  sex: ['female', 'male'],
};

/** A deleted record has no content. */
const NOBODY: Person = { given: '', family: '', birth: '', phone: '', sex: '' };

const personOf = (chance: Chance): Person => {
  const value = (field: keyof Person): string => chance.pick(VALUES[field]);
  return { given: value('given'), family: value('family'), birth: value('birth'), phone: value('phone'), sex: value('sex') };
};

const featuresOf = (person: Person, specs: readonly FeatureSpec[]): FeatureValues =>
  specs.map(({ path }) => FIELDS.flatMap((field) => (field === path ? person[field] : [])).join(''));

/** Features of a stored resource, as the product's extractor would find them. */
export const extractStored = (resource: string, specs: readonly FeatureSpec[]): FeatureValues =>
  featuresOf((JSON.parse(resource) as { readonly person?: Person }).person ?? NOBODY, specs);

const comparison = (chance: Chance, feature: number): Comparison => {
  const field = FIELDS[feature]!;
  const [comparator, threshold] = field === 'given' ? (['levenshtein', 1] as const) : (['exact', 1] as const);
  const missing = chance.pick([0, 0, 1]);
  return fieldComparison({
    name: field,
    feature,
    comparator,
    threshold,
    agree: 1,
    disagree: 0,
    oneMissing: missing,
    bothMissing: missing,
    parameters: {},
  });
};

const RULES: readonly ((chance: Chance, fields: number) => Rule)[] = [
  (chance, fields) => {
    const auto = fields - chance.below(2);
    return {
      name: 'most fields',
      kind: 'deterministic',
      comparisons: Array.from({ length: fields }, (_, feature) => comparison(chance, feature)),
      filters: [],
      base: 0,
      potential: auto - chance.below(3),
      auto,
    };
  },
  (chance) => ({
    name: 'phone and birth',
    kind: 'probabilistic',
    comparisons: [comparison(chance, 3), comparison(chance, 0)],
    filters: [2],
    base: 100,
    potential: 101,
    auto: chance.pick([101, 102]),
  }),
];

const limitsOf = (chance: Chance): MatchingLimits => ({
  maxGroup: chance.pick([50, 50, 4, 2]),
  maxComponent: chance.hits(0.12) ? 2 + chance.below(5) : 1000,
  maxCandidates: chance.hits(0.08) ? 1 + chance.below(4) : 1000,
  cohesion: chance.pick([1 / 3, 1 / 3, 0, 0.5, 1]),
});

/** Decision rules, one or two, over the first four or all five fields. */
export function rulesOf(chance: Chance, version: string): RuleSet {
  const fields = 4 + chance.below(2);
  return {
    version,
    features: FIELDS.slice(0, fields).map((path) => ({ path, normaliser: 'string@1', multi: 'join' })),
    rules: chance.pick([RULES.slice(0, 1), RULES, [...RULES].reverse()]).map((rule) => rule(chance, fields)),
    limits: limitsOf(chance),
  };
}

/** A command that somebody wants done: the same however often it is sent. */
export interface Wish {
  readonly words: string;
  readonly client: string;
  readonly poisoned: boolean;
  /** Change sets that it makes when it is accepted. */
  readonly changes: number;
  /** The version that alone it may replace (If-Match); null: any. */
  readonly ifMatch: Version | null;
  /** As it reaches a process: features are extracted there, under its rules. */
  command(requestId: string, specs: readonly FeatureSpec[]): Command;
}

type Draft = (specs: readonly FeatureSpec[]) => Submission;

const sourceOf = (client: string): string => `http://${client}`;
/** A source system that nobody owns: each client names its own records in it. */
const UNOWNED = 'http://mrn';

const identifiersOf = (chance: Chance, client: string, names: number): readonly RecordIdentifier[] => {
  const value = (): string => `p${chance.below(names)}`;
  const own: RecordIdentifier = chance.hits(0.85)
    ? { system: sourceOf(client), value: value(), names: true, scope: '' }
    : { system: UNOWNED, value: value(), names: true, scope: client };
  const second: RecordIdentifier = { system: sourceOf(client), value: value(), names: true, scope: '' };
  const shared: RecordIdentifier = { system: 'http://nationalid', value: value(), names: false, scope: '' };
  return [...(chance.hits(0.97) ? [own] : []), ...(chance.hits(0.1) ? [second] : []), ...(chance.hits(0.2) ? [shared] : [])];
};

type Acknowledged = Pick<Accepted, 'id' | 'version' | 'cruid'> & { readonly client: string };

/** Draws what people and their systems do, from what they have been answered so far. */
export class Population {
  private readonly chance: Chance;
  private readonly clients: readonly string[];
  private readonly names: number;
  private readonly poison: number;
  private readonly acknowledged: Acknowledged[] = [];

  constructor(chance: Chance) {
    this.chance = chance;
    this.clients = ['ca', 'cb', 'cc', 'cd'].slice(0, 1 + chance.below(4));
    this.names = 2 + chance.below(4);
    this.poison = chance.pick([0, 0, 0.03]);
  }

  learn(client: string, accepted: readonly Accepted[]): void {
    for (const { id, version, cruid } of accepted) this.acknowledged.push({ client, id, version, cruid });
  }

  private anId(of: 'id' | 'cruid'): string {
    const known = this.acknowledged.length > 0 ? this.chance.pick(this.acknowledged)[of] : undefined;
    return this.chance.hits(0.1) ? `x${this.chance.below(4)}` : (known ?? 'x0');
  }

  private address(client: string, identifiers: readonly RecordIdentifier[]): Pick<Submission, 'target' | 'ifMatch'> {
    const kind = this.chance.below(10);
    const own = this.acknowledged.filter((one) => one.client === client);
    const [first] = identifiers;
    if (kind < 6) return { target: { kind: 'none' }, ifMatch: null };
    if (kind === 6 && first) {
      return { target: { kind: 'identifier', system: first.system, value: first.value }, ifMatch: null };
    }
    if (kind < 9 && own.length > 0) {
      const { id, version } = this.chance.hits(0.5) ? own.at(-1)! : this.chance.pick(own);
      return { target: { kind: 'id', id }, ifMatch: this.chance.hits(0.3) ? version : null };
    }
    return { target: { kind: 'id', id: this.anId(this.chance.hits(0.2) ? 'cruid' : 'id') }, ifMatch: null };
  }

  private submission(client: string): Draft {
    const { chance } = this;
    const identifiers = identifiersOf(chance, client, this.names);
    const { target, ifMatch } = this.address(client, identifiers);
    const [person, active] = [personOf(chance), !chance.hits(0.08)];
    const resource = JSON.stringify({
      identifiers: identifiers.map(({ system, value }) => `${system}|${value}`),
      active,
      person,
    });
    const mergeInto = this.mergeTarget(client);
    const bodyId = target.kind === 'none' && chance.hits(0.15) ? this.anId('id') : null;
    return (specs) => ({
      method: target.kind === 'none' ? 'POST' : 'PUT',
      target,
      ifMatch,
      ifNoneExist: null,
      bodyId,
      mergeInto,
      resource,
      active,
      identifiers,
      features: featuresOf(person, specs),
      ownSystems: [sourceOf(client)],
    });
  }

  private mergeTarget(client: string): Submission['mergeInto'] {
    const own = this.acknowledged.filter((one) => one.client === client);
    if (!this.chance.hits(0.08)) return null;
    return { kind: 'id', id: own.length > 0 && this.chance.hits(0.9) ? this.chance.pick(own).id : this.anId('id') };
  }

  private removes(): Wish {
    const client = this.chance.pick(this.clients);
    const own = this.acknowledged.filter((one) => one.client === client);
    const { id, version } =
      own.length > 0 && this.chance.hits(0.9)
        ? this.chance.pick(own)
        : { id: this.anId(this.chance.pick(['id', 'cruid'])), version: 1 };
    const ifMatch = this.chance.hits(0.2) ? version : null;
    return {
      words: `${client} DELETE ${id}${ifMatch === null ? '' : ` if ${ifMatch}`}`,
      client,
      poisoned: false,
      changes: 1,
      ifMatch: null,
      command: (requestId) => ({
        kind: 'remove',
        sender: { agent: client, address: '', requestId },
        removal: { target: { kind: 'id', id }, ifMatch },
      }),
    };
  }

  private submits(poisoned: Wish['poisoned']): Wish {
    const client = this.chance.pick(this.clients);
    const draft = this.submission(client);
    const inCommit = poisoned && this.chance.hits(0.5);
    return {
      words: `${client} ${describe(draft([]))}${poisoned ? ' (poisoned)' : ''}`,
      client,
      poisoned,
      changes: 1,
      ifMatch: draft([]).ifMatch,
      command: (requestId, specs) => {
        const submission = draft(specs);
        const sender = { agent: client, address: inCommit ? POISONED : '', requestId };
        return { kind: 'submit', sender, submission: poisoned && !inCommit ? explosive(submission) : submission };
      },
    };
  }

  private submitsAll(): Wish {
    const client = this.chance.pick(this.clients);
    const drafts = Array.from({ length: 2 + this.chance.below(3) }, () => this.submission(client));
    return {
      words: `${client} all of [${drafts.map((draft) => describe(draft([]))).join(', ')}]`,
      client,
      poisoned: false,
      changes: drafts.length,
      ifMatch: null,
      command: (requestId, specs) => ({
        kind: 'submit-all',
        sender: { agent: client, address: '', requestId },
        steps: drafts.map((draft) => ({ submission: draft(specs) })),
      }),
    };
  }

  private adjudicates(): Wish {
    const verdict = this.chance.pick(['same', 'same', 'different', 'different', 'undecided'] as const);
    const pairs = Array.from({ length: this.chance.pick([1, 1, 1, 2, 3]) }, () => ({ a: this.anId('id'), b: this.anId('id') }));
    return {
      words: `steward ${verdict} ${pairs.map(({ a, b }) => `${a}=${b}`).join(' ')}`,
      client: 'steward',
      poisoned: false,
      changes: 1,
      ifMatch: null,
      command: (requestId) => ({ kind: 'adjudicate', sender: steward(requestId), adjudication: { verdict, pairs } }),
    };
  }

  next(): Wish {
    if (this.chance.hits(this.poison)) return this.submits(true);
    const kind = this.chance.next();
    if (kind < 0.69) return this.submits(false);
    if (kind < 0.74) return this.removes();
    if (kind < 0.82) return this.submitsAll();
    return kind < 0.98 ? this.adjudicates() : administers;
  }
}

const steward = (requestId: string): Sender => ({ agent: 'steward', address: '', requestId });

const describe = ({ target, ifMatch, bodyId, mergeInto, resource, active }: Submission): string => {
  const { identifiers, person } = JSON.parse(resource) as { readonly identifiers: readonly string[]; readonly person: Person };
  const to = target.kind === 'none' ? 'POST' : `PUT ${target.kind === 'id' ? target.id : `${target.system}|${target.value}`}`;
  const body = [identifiers.join('+'), ...Object.values(person), ...(active ? [] : ['inactive'])].join(' ');
  const into = mergeInto?.kind === 'id' ? ` -> ${mergeInto.id}` : '';
  return `${to}${ifMatch === null ? '' : ` if ${ifMatch}`}${bodyId === null ? '' : ` (id ${bodyId})`} ${body}${into}`;
};

/** A submission that throws when its content is read: after the registrar has begun to decide on it. */
const explosive = (submission: Submission): Submission => ({
  ...submission,
  get resource(): string {
    throw new Poison('this submission cannot be read');
  },
});

/** Changes nothing that matching sees; every process that handles it catches up with the ledger. */
export const administers: Wish = {
  words: 'operator administers',
  client: 'operator',
  poisoned: false,
  changes: 1,
  ifMatch: null,
  command: (requestId) => ({
    kind: 'administer',
    sender: steward(requestId),
    what: 'nothing',
    clients: [],
    certificates: [],
    revocations: [],
  }),
};

/** Sends a stored record's own body again, as its owner would after a change of the rules. */
export const resubmits = ({ record, resource, identifiers }: StoredRecord): Wish => ({
  words: `${record.source} the same again: ${record.id}`,
  client: record.source,
  poisoned: false,
  changes: 1,
  ifMatch: null,
  command: (requestId, specs) => ({
    kind: 'submit',
    sender: { agent: record.source, address: '', requestId },
    submission: {
      method: 'POST',
      target: { kind: 'none' },
      ifMatch: null,
      ifNoneExist: null,
      bodyId: null,
      mergeInto: null,
      resource,
      active: record.active,
      identifiers,
      features: extractStored(resource, specs),
      ownSystems: [],
    },
  }),
});
