import { at, equal, found, holds, list, madeId, patient, type Profile, refused, textAt } from '../probe.ts';
import { type Asking, SYSTEMS } from '../site.ts';

/** BALP: what is written of each request; and node authentication (ITI-19) as far as the door shows it. */
export const audit: Profile = {
  name: 'Audit (BALP) and node authentication',
  rows: ['AUD', 'TLS'],
  async run({ ask }, check) {
    let asked = 0;
    /** The events of one request, found by its X-Request-Id. */
    const eventsOf = async (method: string, path: string, asking: Asking = {}): Promise<readonly unknown[]> => {
      const id = `self-test-audit-${++asked}`;
      await ask(method, path, { ...asking, headers: { ...asking.headers, 'x-request-id': id } });
      const trail = await ask('GET', '/fhir/AuditEvent?_count=50', { as: 'whole' });
      return list(trail.body, 'entry')
        .map((entry) => at(entry, 'resource'))
        .filter((event) => list(event, 'entity').some((entity) => textAt(entity, 'what.identifier.value') === id));
    };
    const subtypes = (event: unknown) => list(event, 'subtype').map((one) => textAt(one, 'code'));
    const roles = (event: unknown) => list(event, 'agent').map((agent) => textAt(agent, 'type.coding.0.code'));
    const about = (event: unknown) => list(event, 'entity').map((entity) => textAt(entity, 'what.reference'));
    const body = patient(SYSTEMS.a, 'audit');
    const id = madeId(await ask('POST', '/fhir/Patient', { body }));

    await check('AUD-01', async () => {
      const [event] = (await eventsOf('POST', '/fhir/Patient', { body: patient(SYSTEMS.a, 'audit-new') })).filter(
        (one) => at(one, 'action') === 'C',
      );
      equal('POST Patient', 'subtype and roles', [subtypes(event)[0], ...roles(event)], ['create', '110153', '110152']);
    });
    await check('AUD-02', async () => {
      const [event] = await eventsOf('GET', `/fhir/Patient/${id}`);
      equal(
        'GET Patient/id',
        'action, subtype and roles',
        [at(event, 'action'), subtypes(event)[0], ...roles(event)],
        ['R', 'read', '110152', '110153'],
      );
      holds('GET Patient/id', 'the patient named', about(event).includes(`Patient/${id}`));
    });
    await check('AUD-03', async () => {
      const events = await eventsOf('PUT', `/fhir/Patient/${id}`, { body: { ...body, id, gender: 'other' } });
      holds(
        'PUT Patient/id',
        'an update',
        events.some((one) => at(one, 'action') === 'U' && subtypes(one).includes('update')),
      );
    });
    await check('AUD-04', async () => {
      const gone = madeId(await ask('POST', '/fhir/Patient', { body: patient(SYSTEMS.a, 'audit-gone') }));
      const event = (await eventsOf('DELETE', `/fhir/Patient/${gone}`)).find((one) => at(one, 'action') === 'D');
      equal('DELETE Patient/id', 'subtype and roles', [subtypes(event)[0], ...roles(event)], ['delete', '110150', 'custodian']);
    });
    await check('AUD-05 AUD-12', async () => {
      const path = `/fhir/Patient?identifier=${SYSTEMS.a}|audit`;
      const [event] = await eventsOf('GET', path);
      holds(
        'GET Patient?',
        'the subtypes',
        ['search', 'ITI-78'].every((code) => subtypes(event).includes(code)),
      );
      const queries = list(event, 'entity').map((entity) => Buffer.from(textAt(entity, 'query'), 'base64').toString('utf8'));
      holds('GET Patient?', 'the query as it was asked', queries.includes(`GET ${path}`));
    });
    await check('AUD-10', async () => {
      const [event] = await eventsOf('GET', `/fhir/Patient/$ihe-pix?sourceIdentifier=${SYSTEMS.a}|audit`);
      holds('GET $ihe-pix', 'the subtype ITI-83', subtypes(event).includes('ITI-83'));
      const identifiers = list(event, 'entity').map((entity) => textAt(entity, 'what.identifier.value'));
      holds('GET $ihe-pix', 'the identifier asked about', identifiers.includes('audit'));
    });
    await check('AUD-11', async () => {
      const feed = { body: { ...body, gender: 'unknown' } };
      const events = await eventsOf('PUT', `/fhir/Patient?identifier=${SYSTEMS.a}|audit`, feed);
      holds(
        'PUT Patient?',
        'the subtype ITI-104',
        events.some((one) => subtypes(one).includes('ITI-104')),
      );
    });
    await check('AUD-13', async () => {
      const asking = { as: 'whole' as const, body: { ...body, identifier: undefined } };
      const [event] = await eventsOf('POST', '/fhir/Patient/$match', asking);
      holds('POST $match', 'the subtype ITI-119', subtypes(event).includes('ITI-119'));
    });
    await check('AUD-14', async () => {
      const [event] = await eventsOf('GET', `/fhir/Patient/${id}`);
      holds('GET Patient/id', 'an event', event !== undefined);
      equal('GET Patient/id', 'source.observer', at(event, 'source.observer'), at(event, 'agent.1.who'));
    });
    await check('TLS-01 TLS-05', async () => {
      const events = await eventsOf('GET', `/fhir/Patient/${id}`, { as: 'nobody' });
      refused(await ask('GET', `/fhir/Patient/${id}`, { as: 'nobody' }), 401);
      holds(
        'without a certificate',
        'a Security Alert',
        events.some((one) => textAt(one, 'type.code') === '110113'),
      );
    });
    await check('AUD-05', async () => {
      const reply = await ask('GET', '/fhir/AuditEvent?action=E&_count=1', { as: 'whole' });
      equal(reply, 'one event a page', found(reply).length, 1);
    });
  },
};
