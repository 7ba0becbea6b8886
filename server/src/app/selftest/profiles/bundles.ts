import { at, equal, found, holds, list, patient, type Profile, refused, textAt } from '../probe.ts';
import { SYSTEMS } from '../site.ts';

const post = (resource: { readonly resourceType: string }, fullUrl?: string) => ({
  ...(fullUrl !== undefined && { fullUrl }),
  resource,
  request: { method: 'POST', url: resource.resourceType },
});
const relatedTo = (reference: string) => ({ resourceType: 'RelatedPerson', patient: { reference } });

/** FHIR R4: batch and transaction. */
export const bundles: Profile = {
  name: 'Batch and transaction',
  rows: ['TX'],
  async run({ ask }, check) {
    const send = (type: string, entry: readonly object[]) =>
      ask('POST', '/fhir', { body: { resourceType: 'Bundle', type, entry } });
    const statuses = (body: unknown) => list(body, 'entry').map((entry) => textAt(entry, 'response.status').slice(0, 3));
    const held = async (value: string) => found(await ask('GET', `/fhir/Patient?identifier=${SYSTEMS.a}|${value}`)).length;
    const bad = { ...patient(SYSTEMS.a, 'tx-bad'), birthDate: '2001-02-30' };

    await check('TX-01', async () => {
      const reply = await send('batch', [post(patient(SYSTEMS.a, 'tx-1')), post(bad), post(patient(SYSTEMS.a, 'tx-2'))]);
      equal(
        reply,
        'type and statuses',
        [at(reply.body, 'type'), ...statuses(reply.body)],
        ['batch-response', '201', '422', '201'],
      );
    });
    await check('TX-02', async () => {
      refused(await send('transaction', [post(patient(SYSTEMS.a, 'tx-3')), post(bad)]), 422);
      equal('transaction', 'records of the refused one', await held('tx-3'), 0);
      const reply = await send('transaction', [post(patient(SYSTEMS.a, 'tx-3'))]);
      equal(reply, 'type and statuses', [at(reply.body, 'type'), ...statuses(reply.body)], ['transaction-response', '201']);
    });
    await check('TX-03', async () => {
      const entries = [
        { request: { method: 'GET', url: `Patient?identifier=${SYSTEMS.a}|tx-4` } },
        post(patient(SYSTEMS.a, 'tx-4')),
      ];
      const reply = await send('transaction', entries);
      equal(reply, 'the total that the GET was answered', at(reply.body, 'entry.0.resource.total'), 1);
    });
    await check('TX-04', async () => {
      refused(await send('transaction', [post(patient(SYSTEMS.a, 'tx-5')), post(patient(SYSTEMS.a, 'tx-5'))]), 400);
      equal('transaction', 'records of the refused one', await held('tx-5'), 0);
    });
    await check('TX-05', async () => {
      const urn = 'urn:uuid:11111111-1111-4111-8111-111111111111';
      const reply = await send('transaction', [post(relatedTo(urn)), post(patient(SYSTEMS.a, 'tx-6'), urn)]);
      const made = `Patient/${textAt(reply.body, 'entry.1.resource.id')}`;
      equal(reply, 'RelatedPerson.patient', at(reply.body, 'entry.0.resource.patient.reference'), made);
    });
    await check('TX-06', async () => {
      const entry = post(patient(SYSTEMS.a, 'tx-1'));
      const conditional = { ...entry, request: { ...entry.request, ifNoneExist: `identifier=${SYSTEMS.a}|tx-1` } };
      equal('ifNoneExist', 'statuses', statuses((await send('transaction', [conditional])).body), ['200']);
      const put = {
        resource: patient(SYSTEMS.a, 'tx-1'),
        request: { method: 'PUT', url: `Patient?identifier=${SYSTEMS.a}|tx-1`, ifMatch: 'W/"99"' },
      };
      refused(await send('transaction', [put]), 412);
    });
    await check('TX-07', async () => {
      const reply = await send('transaction', [post(relatedTo(`Patient?identifier=${SYSTEMS.a}|tx-1`))]);
      holds(reply, 'a resolved reference', textAt(reply.body, 'entry.0.resource.patient.reference').startsWith('Patient/'));
      refused(await send('transaction', [post(relatedTo(`Patient?identifier=${SYSTEMS.a}|tx-nobody`))]), 422);
    });
    await check('TX-08', async () => {
      const reply = await send('batch', [post(patient(SYSTEMS.a, 'tx-7'))]);
      const response = at(reply.body, 'entry.0.response');
      const id = textAt(reply.body, 'entry.0.resource.id');
      equal(reply, 'location and etag', [at(response, 'location'), at(response, 'etag')], [`Patient/${id}/_history/1`, 'W/"1"']);
      holds(reply, 'lastModified', !Number.isNaN(Date.parse(textAt(response, 'lastModified'))));
    });
    await check('TX-09', async () => {
      const reply = await send('transaction', []);
      equal(reply, 'status and type', [reply.status, at(reply.body, 'type')], [200, 'transaction-response']);
    });
    await check('TX-10', async () => {
      const person = patient(SYSTEMS.a, 'tx-8');
      const entries = [
        { resource: { ...person, gender: 'other' }, request: { method: 'PUT', url: `Patient?identifier=${SYSTEMS.a}|tx-8` } },
        post(person),
      ];
      equal('history', 'statuses', statuses((await send('history', entries)).body), ['200', '201']);
    });
    await check('TX-11', async () => refused(await send('document', []), 400));
  },
};
