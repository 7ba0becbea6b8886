import { at, equal, found, holds, list, madeId, patient, type Profile, refused, status, textAt } from '../probe.ts';
import { type Asking, SYSTEMS } from '../site.ts';

/** FHIR R4 http.html. */
export const rest: Profile = {
  name: 'FHIR R4 REST',
  rows: ['REST'],
  async run(site, check) {
    const { ask, location } = site;
    const post = (body: object, asking: Asking = {}) => ask('POST', '/fhir/Patient', { body, ...asking });
    const created = await post(patient(SYSTEMS.a, 'rest'));
    const id = madeId(created) || 'nothing-was-made';
    const read = (path = '', asking: Asking = {}) => ask('GET', `/fhir/Patient/${id}${path}`, asking);

    await check('REST-01', async () => {
      const reply = await ask('GET', '/fhir/metadata');
      status(reply, 200);
      equal(reply, 'resourceType', at(reply.body, 'resourceType'), 'CapabilityStatement');
      equal(reply, 'fhirVersion', at(reply.body, 'fhirVersion'), '4.0.1');
    });
    await check('REST-02 REST-03', async () => {
      for (const [path, accept, type] of [
        ['', 'application/fhir+xml', 'application/fhir+xml'],
        ['', 'text/json', 'application/fhir+json'],
        ['?_format=xml', 'application/fhir+json', 'application/fhir+xml'],
        ['?_format=application/fhir%2Bjson', 'application/fhir+xml', 'application/fhir+json'],
        ['?_format=application/fhir+json', 'application/fhir+xml', 'application/fhir+json'],
      ] as const) {
        const reply = await read(path, { headers: { accept } });
        status(reply, 200);
        equal(reply, 'content-type', reply.headers['content-type']?.split(';')[0], type);
        equal(reply, 'id', at(reply.body, 'id'), id);
      }
    });
    await check('REST-04 REST-05', async () => {
      refused(await read('', { headers: { accept: 'text/turtle' } }), 406);
      refused(await read('', { headers: { accept: 'application/fhir+json; fhirVersion=3.0' } }), 406);
      status(await read('', { headers: { accept: 'application/fhir+json; fhirVersion=4.0' } }), 200);
      refused(await post(patient(SYSTEMS.a, 'x'), { headers: { 'content-type': 'text/plain' } }), 415);
    });
    await check('REST-06', async () => {
      for (const [wanted, type] of [
        ['minimal', undefined],
        ['representation', 'Patient'],
        ['OperationOutcome', 'OperationOutcome'],
      ] as const) {
        const reply = await post(patient(SYSTEMS.a, `prefer-${wanted}`), { headers: { prefer: `return=${wanted}` } });
        status(reply, 201);
        equal(reply, 'resourceType', at(reply.body, 'resourceType'), type);
      }
    });
    await check('REST-07', async () => {
      const path = `/fhir/Patient?_id=${id}&shoesize=44`;
      refused(await ask('GET', path, { headers: { prefer: 'handling=strict' } }), 400);
      const lenient = await ask('GET', path);
      status(lenient, 200);
      holds(lenient, 'the unknown parameter missing in the self link', !textAt(lenient.body, 'link.0.url').includes('shoesize'));
    });
    await check('REST-08', async () => {
      const reply = await read();
      equal(reply, 'ETag', reply.headers['etag'], `W/"${textAt(reply.body, 'meta.versionId')}"`);
      holds(reply, 'a Last-Modified', !Number.isNaN(Date.parse(reply.headers['last-modified'] ?? '')));
    });
    await check('REST-09', async () => {
      const reply = await ask('HEAD', `/fhir/Patient/${id}`);
      status(reply, 200);
      equal(reply, 'body', reply.text, '');
    });
    await check('REST-10', async () => {
      const reply = await read('', { headers: { 'x-request-id': 'self-test-1', 'x-correlation-id': 'self-test-2' } });
      equal(reply, 'X-Request-Id', reply.headers['x-request-id'], 'self-test-1');
      equal(reply, 'X-Correlation-Id', reply.headers['x-correlation-id'], 'self-test-2');
    });
    await check('REST-11', async () => holds('_pretty=true', 'line breaks', (await read('?_pretty=true')).text.includes('\n')));
    await check('REST-12 REST-33', async () => {
      refused(await ask('GET', '/fhir/Patient/not_an_id'), 404);
      refused(await ask('GET', '/fhir/patient/1'), 404);
      refused(await ask('GET', '/fhir/Observation/1'), 404);
    });
    await check('REST-20', async () => {
      const reply = await read('?_elements=identifier');
      equal(reply, 'id', at(reply.body, 'id'), id);
      equal(reply, 'gender', at(reply.body, 'gender'), undefined);
      holds(
        reply,
        'the tag SUBSETTED',
        list(reply.body, 'meta.tag').some((tag) => at(tag, 'code') === 'SUBSETTED'),
      );
      refused(await ask('GET', '/fhir/Patient/nobody'), 404, 'not-found');
    });
    await check('REST-21', async () => {
      status(await read('', { headers: { 'if-none-match': created.headers['etag'] ?? '' } }), 304);
      status(await read('', { headers: { 'if-none-match': 'W/"99"' } }), 200);
    });
    await check('REST-22', async () => {
      const reply = await read('/_history/1');
      status(reply, 200);
      equal(reply, 'meta.versionId', at(reply.body, 'meta.versionId'), '1');
      refused(await read('/_history/99'), 404);
    });
    await check('REST-23', async () => {
      status(created, 201);
      const form = location === 'versioned' ? `Patient/${id}/_history/1` : `Patient/${id}`;
      equal(created, 'Location', created.headers['location'], form);
      const sent = await post(patient(SYSTEMS.a, 'ids', { id: 'mine', meta: { versionId: '7' } }));
      holds(sent, 'an id of its own', madeId(sent) !== '' && madeId(sent) !== 'mine');
      equal(sent, 'meta.versionId', at(sent.body, 'meta.versionId'), '1');
    });
    await check('REST-24', async () => {
      const headers = { 'if-none-exist': `identifier=${SYSTEMS.a}|rest` };
      const there = await post(patient(SYSTEMS.a, 'rest'), { headers });
      status(there, 200);
      equal(there, 'id', at(there.body, 'id'), id);
      equal(there, 'version', there.headers['etag'], created.headers['etag']);
    });
    await check('REST-25 REST-26', async () => {
      const put = (body: object) => ask('PUT', '/fhir/Patient/self-test-put', { body });
      const body = patient(SYSTEMS.a, 'put', { id: 'self-test-put' });
      status(await put(body), 201);
      status(await put({ ...body, gender: 'other' }), 200);
      refused(await put(patient(SYSTEMS.a, 'put', { id: 'another' })), 400);
      refused(await put(patient(SYSTEMS.a, 'put')), 400);
    });
    await check('REST-27', async () => {
      const body = { ...patient(SYSTEMS.a, 'if-match'), id: 'self-test-if-match' };
      const put = (headers: Readonly<Record<string, string>> = {}) => ask('PUT', `/fhir/Patient/${body.id}`, { body, headers });
      const first = await put();
      refused(await put({ 'if-match': 'W/"99"' }), 412);
      status(await put({ 'if-match': first.headers['etag'] ?? '' }), 200);
    });
    await check('REST-28', async () => {
      const put = (body: object) => ask('PUT', `/fhir/Patient?identifier=${SYSTEMS.a}|conditional`, { body });
      status(await put(patient(SYSTEMS.a, 'conditional')), 201);
      status(await put(patient(SYSTEMS.a, 'conditional')), 200);
      refused(await put(patient(SYSTEMS.a, 'conditional', { id: 'another' })), 400);
    });
    await check('REST-29', async () => {
      const gone = `/fhir/Patient/${madeId(await post(patient(SYSTEMS.a, 'delete')))}`;
      status(await ask('DELETE', gone), 200, 204);
      refused(await ask('GET', gone), 410, 'deleted');
      status(await ask('DELETE', gone), 200, 204);
      status(await ask('DELETE', '/fhir/Patient/nobody'), 200, 204);
    });
    await check('REST-30', async () => {
      const path = `/fhir/Patient?identifier=${SYSTEMS.a}|delete-conditional`;
      const gone = madeId(await post(patient(SYSTEMS.a, 'delete-conditional')));
      status(await ask('DELETE', path), 200, 204);
      refused(await ask('GET', `/fhir/Patient/${gone}`), 410);
      status(await ask('DELETE', path), 200, 204);
    });
    await check('REST-32', async () => {
      refused(await ask('POST', '/fhir/Patient', { body: '{"resourceType":"Patient",' }), 400);
      refused(await post(patient(SYSTEMS.a, 'bad', { birthDate: 17 })), 400);
      refused(await post(patient(SYSTEMS.a, 'bad', { birthDate: '2001-02-30' })), 422);
    });
    await check('REST-34', async () => {
      refused(await ask('GET', `/fhir/Patient/${id}`, { as: 'nobody' }), 401, 'login');
      refused(await ask('GET', '/fhir/AuditEvent'), 403, 'forbidden');
    });
    await check('REST-35', async () => {
      const reply = await ask('PATCH', '/fhir/metadata', { body: {} });
      refused(reply, 405);
      holds(reply, 'Allow', reply.headers['allow'] !== undefined);
    });
    await check('REST-36', async () => refused(await post({ resourceType: 'Organization', name: 'x' }), 400));
    await check('REST-20', async () => {
      const other = await ask('GET', `/fhir/Patient?_id=${id}`, { as: 'whole' });
      equal(other, 'matches', found(other), [id]);
    });
  },
};
