/**
 * The layers of the design, section 4: arrows point to purer things, and what a layer may see is what its arrows reach.
 * Whatever is not listed here is forbidden. scripts/layers.test.ts shows that each rule bites.
 */
const src = '^server/src/';
const tests = '[.]test[.]ts$';

/** What each layer may import besides itself. */
const sees = {
  domain: [],
  matching: ['domain'],
  fhir: ['domain'],
  rules: ['matching', 'fhir', 'domain'],
  registry: ['matching', 'fhir', 'domain'],
  config: ['rules', 'matching', 'fhir', 'domain'],
  cli: ['registry', 'matching', 'fhir', 'domain'],
};

const folders = (names) => `${src}(${names.join('|')})/`;

const layer = (name, seen) => ({
  name: `${name}-sees-${seen.join('-') || 'nothing'}`,
  comment: `${name} may import ${seen.join(', ') || 'nothing of the other layers'} only.`,
  severity: 'error',
  from: { path: folders([name]), pathNot: tests },
  to: { path: '^(server|bench)/', pathNot: folders([name, ...seen]) },
});

/** Packages that compute and nothing else; each needs a reason in the change that adds it. */
const purePackages = ['^node_modules/double-metaphone/'];

module.exports = {
  forbidden: [
    ...Object.entries(sees).map(([name, seen]) => layer(name, seen)),
    {
      name: 'http-sees-registry-matching-fhir-domain',
      comment: 'A route turns a request into a command, calls a use case and renders its answer. http/admin sees the rules too.',
      severity: 'error',
      from: { path: folders(['http']), pathNot: [tests, `${src}http/admin/`] },
      to: { path: '^(server|bench)/', pathNot: folders(['http', 'registry', 'matching', 'fhir', 'domain']) },
    },
    {
      name: 'http-admin-sees-rules-too',
      comment: 'The stewards’ door edits and previews decision rules.',
      severity: 'error',
      from: { path: `${src}http/admin/`, pathNot: tests },
      to: { path: '^(server|bench)/', pathNot: folders(['http', 'rules', 'registry', 'matching', 'fhir', 'domain']) },
    },
    {
      name: 'adapters-see-ports-fhir-domain',
      comment: 'An adapter implements the ports of registry/ports.ts; what else it needs arrives through them as data.',
      severity: 'error',
      from: { path: folders(['adapters']), pathNot: tests },
      to: {
        path: '^(server|bench)/',
        pathNot: [folders(['adapters', 'fhir', 'domain']), `${src}registry/ports[.]ts$`, `${src}matching/model[.]ts$`],
      },
    },
    {
      name: 'adapters-see-types-of-the-model-only',
      comment: 'matching/model.ts is part of the language of the ports: its types, and nothing that runs.',
      severity: 'error',
      from: { path: folders(['adapters']), pathNot: tests },
      to: { path: `${src}(registry/ports|matching/model)[.]ts$`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'adapters-know-no-siblings',
      comment: 'Each folder of adapters/ stands alone, so that a store can be added or removed by itself.',
      severity: 'error',
      from: { path: `${src}adapters/([^/]+)/`, pathNot: tests },
      to: { path: `${src}adapters/`, pathNot: `${src}adapters/$1/` },
    },
    {
      name: 'only-app-names-adapters',
      comment: 'app (also the threads that it starts) is the composition root: the one place that chooses a store.',
      severity: 'error',
      from: { path: src, pathNot: [tests, folders(['adapters', 'app']), `${src}app[.]ts$`] },
      to: { path: folders(['adapters']) },
    },
    {
      name: 'nobody-imports-app-or-main',
      comment: 'The composition root is above all others; main only starts it.',
      severity: 'error',
      from: { path: src, pathNot: [tests, `${src}(main[.]ts$|app([.]ts$|/))`] },
      to: { path: `${src}(main[.]ts$|app([.]ts$|/))` },
    },
    {
      name: 'nobody-imports-main',
      comment: 'main.ts runs when it is loaded.',
      severity: 'error',
      from: {},
      to: { path: `${src}main[.]ts$` },
    },
    {
      name: 'domain-and-matching-import-nothing-outside',
      comment: 'No package and no module of Node: they see no clock, no log, no environment. Pure packages are listed above.',
      severity: 'error',
      from: { path: folders(['domain', 'matching']), pathNot: tests },
      to: { pathNot: ['^server/', ...purePackages] },
    },
    {
      name: 'core-does-no-io',
      comment: 'Only adapters, http, cli, config and main do input and output. Hashing and buffers compute.',
      severity: 'error',
      from: { path: folders(['rules', 'fhir', 'registry']), pathNot: tests },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer|util)$' },
    },
    {
      name: 'no-tests-in-the-product',
      comment: 'What runs in service may not lean on tests, their support, or tools.',
      severity: 'error',
      from: { path: src, pathNot: tests },
      to: { path: ['^server/test/', '^bench/', tests] },
    },
    {
      name: 'no-development-packages-in-the-product',
      comment: 'It would be missing where the product is installed without them. Types vanish.',
      severity: 'error',
      from: { path: src, pathNot: tests },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '^node_modules/@types/' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one, or hide a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Nobody imports it and it imports nobody: forgotten.',
      severity: 'error',
      from: { orphan: true, path: src, pathNot: [tests, '[.]d[.]ts$', `${src}main[.]ts$`] },
      to: {},
    },
    {
      name: 'resolvable',
      comment: 'The import names nothing that is there. `fhir/r4.js` is a module of types alone, in @types/fhir.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^fhir/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^server/generated/' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.js', '.json', '.node'],
    },
  },
};
