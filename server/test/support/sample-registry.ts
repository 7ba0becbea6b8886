/** A small registry with a row in every table, for tests that damage it. */
import { openStore } from '../../src/adapters/sql/store.ts';
import {
  arrival,
  change,
  commit,
  companionWrite,
  FEATURES,
  goldenWrite,
  link,
  mrn,
  pair,
  recordWrite,
  verdict,
} from './sample-changes.ts';

const national = { system: 'http://national', value: 'N-1', names: false, scope: 'clinicA' };

const history = [
  [change({ rules: { version: 'rules-1', definition: '{}' } })],
  [arrival(1, { identifiers: [mrn('A-1'), national], flags: ['potential'] }), arrival(2), arrival(3)],
  [
    change({
      records: [recordWrite(2, { version: 2, golden: 1, family: 'Banda', flags: ['auto', 'moved'] })],
      goldens: [goldenWrite(1, { version: 2 }), goldenWrite(2, { version: 2, active: false, replacedBy: 1 })],
      linksEnded: [{ record: 2, golden: 2 }],
      linksBegun: [link(2, 1, { origin: 'auto', because: { ...verdict, with: 1 } })],
      pairsBegun: [pair(1, 2)],
      adjudications: [{ a: 1, b: 3, verdict: 'different', by: 'steward', golden: null }],
      tasksOpened: [1, 2].map((key) => ({ key, kind: 'potential' as const, record: key, others: [3] })),
      aliases: [{ id: 'emr-17', client: 'clinicA', record: 2 }],
    }),
  ],
  [
    change({
      adjudications: [{ a: 1, b: 2, verdict: 'same', by: 'steward', golden: 1 }],
      tasksClosed: [1],
      clients: [{ name: 'clinicA', displayName: 'Clinic A', systems: ['http://s'], scopes: ['audit'], disabled: false }],
      certificates: [{ fingerprint: 'f1', client: 'clinicA', serial: '0a', notAfter: '2027-01-01T00:00:00.000Z' }],
      revocations: [{ client: 'clinicA', at: '2026-03-03T10:00:00.000Z', fingerprints: ['f1'] }],
      passwords: [
        { client: 'clinicA', hash: '$argon2id$first' },
        { client: 'clinicB', hash: '$argon2id$second' },
      ],
    }),
  ],
  [
    change({ records: [recordWrite(3, { version: 2, golden: 3, active: false, mergedInto: 2, content: false })] }),
    change({
      records: [recordWrite(1, { version: 2, golden: 0, active: false, deleted: true, content: false, flags: ['potential'] })],
      linksEnded: [{ record: 1, golden: 1 }],
    }),
  ],
  [
    change({ companions: [companionWrite({ resourceType: 'Organization', name: 'Norte' }, { givenId: 'emr-o1' })] }),
    change({
      companions: [
        companionWrite({ resourceType: 'Organization', name: 'Sur' }, { version: 2, givenId: 'emr-o1' }),
        companionWrite({ resourceType: 'RelatedPerson', patient: { reference: 'Patient/record-2' } }, { type: 'RelatedPerson' }),
      ],
    }),
    change({ companions: [companionWrite(null, { type: 'RelatedPerson', version: 2, deleted: true })] }),
  ],
];

export const writeSampleRegistry = async (dir: string): Promise<void> => {
  const { ledger, close } = openStore(dir, { features: FEATURES });
  for (const changes of history) await commit(ledger, changes);
  close();
};
