import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const core = ['domain', 'matching', 'rules', 'fhir', 'registry'].map((layer) => `server/src/${layer}/**/*.ts`);
const tests = ['**/*.test.ts', 'server/test/**'];

/** Time, chance, the environment and the network reach the core through ports only (design: "see no clock, no log, no environment"). */
const impure = [
  ['NewExpression[callee.name="Date"][arguments.length=0]', 'Take the time from the Clock port.'],
  ['CallExpression[callee.name="Date"]', 'Take the time from the Clock port.'],
  ['MemberExpression[object.name="Date"][property.name="now"]', 'Take the time from the Clock port.'],
  ['MemberExpression[object.name="performance"]', 'Take the time from the Clock port.'],
  ['MemberExpression[object.name="Math"][property.name="random"]', 'Take ids and chance from a port.'],
  ['MemberExpression[object.name="crypto"]', 'Take ids and chance from a port.'],
].map(([selector, message]) => ({ selector, message }));

export default defineConfig(
  { ignores: ['**/node_modules/', '.toolchain/', 'server/generated/', 'data/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'object-shorthand': 'error',
      // Sizes are questions to the author, not verdicts: warnings.
      'max-lines': ['warn', 300],
      'max-lines-per-function': ['warn', 60],
      '@typescript-eslint/max-params': ['warn', { max: 3 }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Spreading a text into its code points is what the comparators mean to do.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A port's method may be async for the sake of another implementation.
      '@typescript-eslint/require-await': 'off',
      // Ports and their adapters are records of closures: nothing there has a `this` to lose.
      '@typescript-eslint/unbound-method': 'off',
      // A missing unused parameter would hide the signature that a port asks for.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: core,
    ignores: tests,
    rules: {
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
      'no-restricted-syntax': ['error', ...impure],
    },
  },
  {
    // Data enters by parsers (rules, fhir, config) and adapters; past them its type is known.
    files: ['domain', 'matching', 'registry'].map((layer) => `server/src/${layer}/**/*.ts`),
    ignores: tests,
    rules: { '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }] },
  },
  {
    // Indexed loops over typed arrays: the index is in range by the loop's own condition.
    files: ['server/src/matching/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['server/src/cli/**', 'server/build/**', 'server/test/**', 'bench/**', 'scripts/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: tests,
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      'no-restricted-properties': [
        'error',
        { object: 'vi', property: 'mock', message: 'Use a real store, or a stand-in that passes the contract.' },
      ],
    },
  },
);
