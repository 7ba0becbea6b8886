import type { Patient } from './r4.ts';

/*
 * The fast lane of FHIRPath: what most decision rules ask is a walk over the properties of a Patient, some fifty times
 * faster than the engine, and the same values (feature-paths.test.ts). Whatever is not recognised here is for the engine.
 */

type Nodes = readonly unknown[];
type Walk = (nodes: Nodes) => Nodes;

/** Elements whose children are neither extensions nor choices of types, each with the primitive ones and the others. */
const TYPES: Readonly<
  Record<string, { readonly primitives: readonly string[]; readonly others: Readonly<Record<string, string>> }>
> = {
  Patient: {
    primitives: ['gender', 'birthDate', 'active', 'language'],
    others: { name: 'HumanName', telecom: 'ContactPoint', address: 'Address', identifier: 'Identifier' },
  },
  HumanName: { primitives: ['use', 'text', 'family', 'given', 'prefix', 'suffix'], others: { period: 'Period' } },
  ContactPoint: { primitives: ['system', 'value', 'use', 'rank'], others: { period: 'Period' } },
  Address: {
    primitives: ['use', 'text', 'line', 'city', 'district', 'state', 'postalCode', 'country'],
    others: { period: 'Period' },
  },
  Identifier: { primitives: ['use', 'system', 'value'], others: { type: 'CodeableConcept', period: 'Period' } },
  CodeableConcept: { primitives: ['text'], others: {} },
  Period: { primitives: ['start', 'end'], others: {} },
};

interface Walked {
  readonly walk: Walk;
  /** Of what is found; '' for a primitive. */
  readonly type: string;
}

const childOf = (node: unknown, name: string): unknown =>
  typeof node === 'object' && node !== null ? (node as Readonly<Record<string, unknown>>)[name] : undefined;

const childrenOf = (nodes: Nodes, name: string): Nodes => nodes.flatMap((node) => childOf(node, name) ?? []);

/** `where(system='A')`, or of a domain with several names (rules/domains.ts) `where((system='A' or system='B'))`. */
const STEP =
  /^(?:where\((?<property>[a-zA-Z]+) ?= ?'(?<literal>[^'\\]*)'\)|where\(\((?<names>system='[^'\\]*'(?: or system='[^'\\]*')*)\)\)|(?<end>first|last)\(\)|(?<name>[a-zA-Z]+))(?:\.|$)/;

/** Follows one step; undefined where the engine is to follow it. */
function follow(
  { walk, type }: Walked,
  { property, literal, names, end, name }: Readonly<Record<string, string | undefined>>,
): Walked | undefined {
  const here = TYPES[type];
  if (!here) return undefined;
  if (property !== undefined) {
    // `rank` is a number: it equals no text, and the engine says so in its own way.
    if (!here.primitives.includes(property) || property === 'rank') return undefined;
    return { walk: (nodes) => walk(nodes).filter((node) => childOf(node, property) === literal), type };
  }
  if (names !== undefined) {
    if (!here.primitives.includes('system')) return undefined;
    const systems = new Set<unknown>([...names.matchAll(/'([^']*)'/g)].map(([, system]) => system));
    return { walk: (nodes) => walk(nodes).filter((node) => systems.has(childOf(node, 'system'))), type };
  }
  if (end !== undefined)
    return { walk: end === 'first' ? (nodes) => walk(nodes).slice(0, 1) : (nodes) => walk(nodes).slice(-1), type };
  if (name === undefined) return undefined;
  const next = here.primitives.includes(name) ? '' : here.others[name];
  return next === undefined ? undefined : { walk: (nodes) => childrenOf(walk(nodes), name), type: next };
}

function steps(path: string, from: Walked): Walked | undefined {
  let rest = path;
  let walked: Walked | undefined = from;
  while (rest !== '' && walked) {
    const step = STEP.exec(rest);
    if (!step?.groups) return undefined;
    rest = rest.slice(step[0].length);
    walked = follow(walked, step.groups);
  }
  return path.endsWith('.') ? undefined : walked;
}

/** The arguments of a call that begins at the start of the text, and what follows the call. */
function callAtStart(text: string): { readonly args: readonly string[]; readonly rest: string } | undefined {
  const args: string[] = [];
  let [depth, begin, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "'") quoted = !quoted;
    if (quoted) continue;
    if (letter === '(' && ++depth === 1) begin = at + 1;
    if ((letter === ',' && depth === 1) || (letter === ')' && depth === 1)) {
      args.push(text.slice(begin, at).trim());
      begin = at + 1;
    }
    if (letter === ')' && --depth === 0) return { args, rest: text.slice(at + 1) };
  }
  return undefined;
}

/** `iif(X.exists(), A, B)`, with steps after it. */
function choice(path: string): Walked | undefined {
  const call = callAtStart(path.slice('iif'.length));
  if (call?.args.length !== 3 || (call.rest !== '' && !call.rest.startsWith('.'))) return undefined;
  const [asked = '', yes = '', no = ''] = call.args;
  const [condition, then, otherwise] = [
    asked.endsWith('.exists()') ? chain(asked.slice(0, -'.exists()'.length)) : undefined,
    chain(yes),
    chain(no),
  ];
  if (!condition || condition.type === '' || !then || !otherwise || then.type !== otherwise.type) return undefined;
  const walk: Walk = (nodes) => (condition.walk(nodes).length > 0 ? then.walk(nodes) : otherwise.walk(nodes));
  return steps(call.rest.slice(1), { walk, type: then.type });
}

function chain(path: string): Walked | undefined {
  const trimmed = path.trim();
  if (trimmed.startsWith('iif(')) return choice(trimmed);
  return steps(trimmed.replace(/^Patient\./, ''), { walk: (nodes) => nodes, type: 'Patient' });
}

/** Compiles a path that ends at a primitive element; undefined where it takes the engine. */
export const walkedPath = (path: string): ((patient: Patient) => readonly unknown[]) | undefined => {
  const walked = chain(path);
  return walked?.type === '' ? (patient) => walked.walk([patient]) : undefined;
};
