import type { Mutation } from './process.ts';

/**
 * Deliberate faults, each as what it would look like to the rest: a registrar that does not wait for its commit is one
 * whose ledger answers too early. A simulation that finds none of a kind would find no real one either.
 */
export const mutations: Readonly<Record<string, Mutation>> = {
  'acknowledging before the commit is durable': {
    ledger: (ledger) => ({
      ...ledger,
      async commit(batch, changes, after, next) {
        void ledger.commit(batch, changes, after, next).catch(() => undefined);
        return { kind: 'committed', head: { ...(await ledger.head()), sequence: after + changes.length } };
      },
    }),
  },
  'taking `behind` for `committed`': {
    ledger: (ledger) => ({
      ...ledger,
      async commit(...args) {
        await ledger.commit(...args);
        return { kind: 'committed', head: await ledger.head() };
      },
    }),
  },
  'committing after whatever the head has become': {
    ledger: (ledger) => ({
      ...ledger,
      commit: async (batch, changes, _after, next) => ledger.commit(batch, changes, (await ledger.head()).sequence, next),
    }),
  },
  'not reading the batch id back after a lost answer': {
    ledger: (ledger) => ({ ...ledger, committed: () => Promise.resolve(undefined) }),
  },
  'committing half a batch': {
    ledger: (ledger) => ({
      ...ledger,
      commit: (batch, changes, after, next) => ledger.commit(batch, changes.slice(0, Math.ceil(changes.length / 2)), after, next),
    }),
  },
  'not following what other processes commit': {
    ledger: (ledger) => ({ ...ledger, changes: () => Promise.resolve([]) }),
  },
  'forgetting what people decided': {
    ledger: (ledger) => ({ ...ledger, adjudications: () => Promise.resolve([]) }),
  },
  'forgetting what a record was linked to': {
    ledger: (ledger) => ({ ...ledger, linksTo: () => Promise.resolve([]) }),
  },
  'keeping inactive records as candidates': {
    index: (index) => ({ ...index, size: 0, remove: () => undefined }),
  },
  'missing the weaker half of the candidates': {
    index: (index) => ({
      ...index,
      size: 0,
      retrieve: (values, skip) => {
        const { candidates, truncated } = index.retrieve(values, skip);
        return { candidates: candidates.slice(0, Math.ceil(candidates.length / 2)), truncated };
      },
    }),
  },
};
