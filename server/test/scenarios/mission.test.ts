import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { dataFolder } from '../support/data-folder.ts';
import { Story } from '../support/story.ts';

const systems = {
  openmrs: 'http://clientregistry.org/openmrs',
  dhis2: 'http://clientregistry.org/dhis2',
  lims: 'http://clientregistry.org/lims',
};

const demo = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', '..', 'DemoData', `${name}.json`), 'utf8'));

async function fourPatients(rules: string) {
  const story = await Story.open({ dataDir: dataFolder(), rules, clients: ['openmrs', 'dhis2', 'lims'], systems });
  const cruids: string[] = [];
  for (const [client, file] of [
    ['openmrs', 'patient1_openmrs'],
    ['dhis2', 'patient2_dhis2'],
    ['lims', 'patient3_lims'],
    ['lims', 'patient4_lims'],
  ] as const) {
    const result = await story.send(client, demo(file));
    cruids.push(result.kind === 'accepted' ? result.cruid : JSON.stringify(result));
  }
  const links = await story.links();
  await story.close();
  return { cruids, links };
}

it('under the shipped rules the four demo patients, two systems’ records and an update among them, end on one CRUID', async () => {
  const { cruids, links } = await fourPatients('decisionRules.json');
  expect(new Set(cruids).size).toBe(1);
  expect(links).toEqual(['G1 ← 431211@openmrs (first)', 'G1 ← 997542@dhis2 (auto)', 'G1 ← 8733453490@lims (auto)']);
});

it('under the mission’s own example rules the fourth, an update, leaves and gets its own CRUID', async () => {
  const { cruids, links } = await fourPatients('mission-rules.json');
  expect(cruids[1]).toBe(cruids[0]);
  expect(cruids[2]).toBe(cruids[0]);
  expect(cruids[3]).not.toBe(cruids[0]);
  expect(links).toEqual(['G1 ← 431211@openmrs (first)', 'G1 ← 997542@dhis2 (auto)', 'G2 ← 8733453490@lims (first)']);
});

it('the mission’s first workflow: an unknown patient gets a new CRUID, a known one the person’s', async () => {
  const story = await Story.open({ dataDir: dataFolder(), rules: 'decisionRules.json' });
  const anna = {
    given: 'Anna Maria',
    family: 'Okello',
    birthDate: '1990-02-03',
    phone: '0772 123 456',
    gender: 'female',
  } as const;
  const first = await story.submits('clinicA', 'anna', anna);
  const second = await story.submits('clinicB', 'a-17', anna);
  const other = await story.submits('clinicB', 'b-18', {
    ...anna,
    given: 'Beatrice',
    birthDate: '1971-11-30',
    phone: '0700 000 000',
  });
  expect([first.status, second.status, other.status]).toEqual(['created', 'created', 'created']);
  expect(second.cruid).toBe(first.cruid);
  expect(other.cruid).not.toBe(first.cruid);
  expect(await story.links()).toEqual(['G1 ← anna@clinicA (first)', 'G1 ← a-17@clinicB (auto)', 'G2 ← b-18@clinicB (first)']);
  await story.close();
});

it('the mission’s second workflow: an update breaks the matches of its group, and matches are run again', async () => {
  const story = await Story.open({ dataDir: dataFolder(), rules: 'decisionRules.json' });
  const anna = {
    given: 'Anna Maria',
    family: 'Okello',
    birthDate: '1990-02-03',
    phone: '0772 123 456',
    gender: 'female',
  } as const;
  const grace = { given: 'Grace', family: 'Namubiru', birthDate: '1984-07-19', phone: '0788 999 111', gender: 'female' } as const;
  await story.submits('clinicA', 'anna', anna);
  await story.submits('clinicB', 'x', anna);
  const g = await story.submits('clinicC', 'grace', grace);
  expect(await story.groups()).toEqual([['anna@clinicA', 'x@clinicB'], ['grace@clinicC']]);
  const update = await story.submits('clinicB', 'x', grace);
  expect(update.status).toBe('updated');
  expect(update.cruid).toBe(g.cruid);
  expect(await story.groups()).toEqual([['anna@clinicA'], ['grace@clinicC', 'x@clinicB']]);
  const back = await story.submits('clinicB', 'x', anna);
  expect(back.cruid).toBe(await story.cruidOf('anna@clinicA'));
  await story.close();
});
