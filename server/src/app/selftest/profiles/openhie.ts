import { at, equal, found, holds, list, madeId, patient, type Profile, refused, status, textAt } from '../probe.ts';
import { SYSTEMS } from '../site.ts';

const MAIDEN = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';

/** OpenHIE's cases for a client registry. */
export const openhie: Profile = {
  name: 'OpenHIE client registry',
  rows: ['OHIE-CR'],
  mode: 'strict',
  async run({ ask, join }, check) {
    const post = (body: object, as: 'a' | 'b' = 'a') => ask('POST', '/fhir/Patient', { as, body });
    const token = (system: string, value: string) => encodeURIComponent(`${system}|${value}`);

    await check('OHIE-CR-01', async () => {
      refused(await post({ ...patient(SYSTEMS.a, 'o-1'), identifier: [{ value: 'o-1' }] }), 422);
      refused(await post(patient(SYSTEMS.a, 'o-1', { managingOrganization: { reference: 'Organization/unknown' } })), 422);
    });
    await check('OHIE-CR-02', async () => {
      status(await post(patient(SYSTEMS.oid, 'o-2')), 201);
      for (const system of [SYSTEMS.a, SYSTEMS.oid]) {
        const reply = await ask('GET', `/fhir/Patient?identifier=${token(system, 'o-2')}`);
        equal(reply, 'total', at(reply.body, 'total'), 1);
        equal(reply, 'system', at(reply.body, 'entry.0.resource.identifier.0.system'), SYSTEMS.a);
      }
    });
    await check('OHIE-CR-03', async () => {
      const identifier = [
        { system: SYSTEMS.a, value: 'o-3' },
        { system: 'urn:x-unknown', value: '1' },
      ];
      refused(await post(patient(SYSTEMS.a, 'o-3', { identifier })), 422);
    });
    await check('OHIE-CR-04', async () => {
      const identifier = [
        { system: SYSTEMS.a, value: 'o-4' },
        { system: SYSTEMS.b, value: 'o-4' },
      ];
      refused(await post(patient(SYSTEMS.a, 'o-4', { identifier })), 403);
    });
    await check('OHIE-CR-05', async () => {
      const urn = 'urn:uuid:22222222-2222-4222-8222-222222222222';
      const extension = [{ url: MAIDEN, valueString: 'Jonesselftest' }];
      const entry = [
        { fullUrl: urn, resource: patient(SYSTEMS.a, 'o-5', { extension }), request: { method: 'POST', url: 'Patient' } },
        {
          resource: { resourceType: 'RelatedPerson', patient: { reference: urn } },
          request: { method: 'POST', url: 'RelatedPerson' },
        },
      ];
      const reply = await ask('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
      status(reply, 200);
      const [child, mother] = list(reply.body, 'entry').map((one) => textAt(one, 'resource.id'));
      const both = await ask('GET', `/fhir/Patient?_id=${child}&_revinclude=RelatedPerson:patient`);
      equal(both, 'entries', found(both), [child, mother]);
      const maiden = await ask('GET', '/fhir/Patient?mothersMaidenName=Jonesselftest');
      equal(maiden, 'entries', found(maiden), [child]);
    });
    await check('OHIE-CR-06', async () => {
      const [a, b] = [madeId(await post(patient(SYSTEMS.a, 'o-6'))), madeId(await post(patient(SYSTEMS.b, 'o-6-b'), 'b'))];
      await join(a, b);
      const pix = (query: string) => ask('GET', `/fhir/Patient/$ihe-pix?${query}`);
      const reply = await pix(`sourceIdentifier=${token(SYSTEMS.a, 'o-6')}`);
      const names = new Set(list(reply.body, 'parameter').map((one) => at(one, 'name')));
      equal(reply, 'parameters', [...names].toSorted(), ['targetId', 'targetIdentifier']);
      refused(await pix(`sourceIdentifier=${token(SYSTEMS.a, 'unknown')}`), 404, 'not-found');
      refused(await pix(`sourceIdentifier=${token(SYSTEMS.a, 'o-6')}&targetSystem=urn:x-foreign`), 403, 'code-invalid');
    });
    await check('OHIE-CR-07', async () => {
      const organization = await ask('POST', '/fhir/Organization', { body: { resourceType: 'Organization', name: 'Self-test' } });
      const managingOrganization = { reference: `Organization/${madeId(organization)}` };
      const id = madeId(await post(patient(SYSTEMS.a, 'o-7', { birthDate: '1982-06-01', managingOrganization })));
      const read = await ask('GET', `/fhir/Patient/${id}`);
      const given = textAt(read.body, 'name.0.given.0');
      const reply = await ask('GET', `/fhir/Patient?given:exact=${given}&birthdate=ap1982&_include=Patient:organization`);
      equal(reply, 'entries', found(reply), [id, madeId(organization)]);
      const none = await ask('GET', '/fhir/Patient?family=Nobodyhasthis');
      equal(none, 'status and total', [none.status, at(none.body, 'total')], [200, 0]);
    });
    await check('OHIE-CR-08', async () => {
      const [old, survivor] = [patient(SYSTEMS.a, 'o-8-old'), madeId(await post(patient(SYSTEMS.a, 'o-8')))];
      await post(old);
      const link = [{ type: 'replaced-by', other: { identifier: { system: SYSTEMS.a, value: 'o-8' } } }];
      const path = `/fhir/Patient?identifier=${token(SYSTEMS.a, 'o-8-old')}`;
      const merged = await ask('PUT', path, { body: { ...old, active: false, link } });
      status(merged, 200);
      const search = await ask('GET', path);
      holds(search, 'the survivor', found(search).includes(survivor));
      equal(search, 'active of the merged one', at(search.body, 'entry.0.resource.active'), false);
    });
    await check('OHIE-CR-09', async () => {
      const link = [{ type: 'replaced-by', other: { identifier: { system: SYSTEMS.b, value: 'o-6-b' } } }];
      const body = patient(SYSTEMS.a, 'o-9', { active: false, link });
      const reply = await ask('PUT', `/fhir/Patient?identifier=${token(SYSTEMS.a, 'o-9')}`, { body });
      status(reply, 400, 403, 422);
    });
  },
};
