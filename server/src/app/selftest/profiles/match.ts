import {
  at,
  equal,
  found,
  holds,
  list,
  madeId,
  patient,
  type Profile,
  refused,
  somebody,
  status,
  textAt,
  Untried,
} from '../probe.ts';
import { SYSTEMS } from '../site.ts';

const GRADE = 'http://hl7.org/fhir/StructureDefinition/match-grade';
const MAIDEN = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';

/** IHE PDQm: `$match` (ITI-119). */
export const match: Profile = {
  name: 'PDQm ITI-119',
  rows: ['PDQ-119'],
  async run({ ask }, check) {
    const person = somebody();
    const asked = { resourceType: 'Patient', ...person };
    const submit = async (as: 'a' | 'b', value: string, body: object) =>
      madeId(await ask('POST', '/fhir/Patient', { as, body: patient(SYSTEMS[as], value, body) }));
    const matching = (body: object) => ask('POST', '/fhir/Patient/$match', { as: 'whole', body });
    const parameters = (more: readonly object[] = [], resource: object = asked) => ({
      resourceType: 'Parameters',
      parameter: [{ name: 'resource', resource }, ...more],
    });
    const gradeOf = (entry: unknown) =>
      textAt(
        list(entry, 'search.extension').find((one) => at(one, 'url') === GRADE),
        'valueCode',
      );
    const first = await submit('a', 'match', person);
    const alone = await matching(asked);
    const [entry] = list(alone.body, 'entry');

    /** What the installation's rules do not find by a person's whole demographics, these rows cannot be tried with. */
    const needsMatch = (): void => {
      if (entry === undefined)
        throw new Untried('the decision rules find nobody by name, birth date, gender, phone and address alone');
    };

    await check('PDQ-119-01 PDQ-119-14', async () => {
      needsMatch();
      equal(alone, 'matches', found(alone), [first]);
      const score = at(entry, 'search.score');
      holds(alone, 'a score from 0 to 1', typeof score === 'number' && score > 0 && score <= 1);
      holds(alone, 'a grade', ['certain', 'probable', 'possible'].includes(gradeOf(entry)));
      const whole = await matching(parameters());
      equal(whole, 'matches', found(whole), [first]);
    });
    await check('PDQ-119-03 PDQ-119-04', async () => {
      needsMatch();
      const reply = await matching(parameters([{ name: 'onlyCertainMatches', valueBoolean: true }]));
      equal(reply, 'matches', found(reply), gradeOf(entry) === 'certain' ? [first] : []);
    });
    await check('PDQ-119-02 PDQ-119-07', async () => {
      needsMatch();
      await submit('b', 'match', person);
      const reply = await matching(parameters());
      const scores = list(reply.body, 'entry').map((one) => Number(at(one, 'search.score')));
      holds(reply, 'two matches, the likelier first', scores.length === 2 && Number(scores[0]) >= Number(scores[1]));
      equal('count=1', 'matches', found(await matching(parameters([{ name: 'count', valueInteger: 1 }]))).length, 1);
    });
    await check('PDQ-119-06', async () => {
      needsMatch();
      const reply = await matching(parameters([{ name: 'onlyCertainMatches', valueBoolean: true }]));
      const grades = new Set(list(reply.body, 'entry').map(gradeOf));
      holds(
        reply,
        'none that is not certain',
        [...grades].every((grade) => grade === 'certain'),
      );
    });
    await check('PDQ-119-11', async () => {
      const body = parameters([{ name: 'unknownHere', valueBoolean: true }]);
      const headers = { prefer: 'handling=lenient' };
      const reply = await ask('POST', '/fhir/Patient/$match', { as: 'whole', body, headers });
      status(reply, 200);
      const remarks = list(reply.body, 'entry').filter((one) => at(one, 'search.mode') === 'outcome');
      const severities = remarks.flatMap((one) => list(one, 'resource.issue').map((issue) => at(issue, 'severity')));
      holds(
        reply,
        'a warning in an outcome, and no error',
        severities.length > 0 && severities.every((one) => one === 'warning'),
      );
    });
    await check('PDQ-119-08', async () => {
      const reply = await matching(parameters([], { resourceType: 'Patient', ...somebody() }));
      equal(reply, 'type and Patients', [at(reply.body, 'type'), found(reply, 'match')], ['searchset', []]);
    });
    await check('PDQ-119-09', async () => {
      needsMatch();
      const leaver = somebody();
      const id = await submit('a', 'match-gone', leaver);
      await ask('DELETE', `/fhir/Patient/${id}`);
      const reply = await matching(parameters([], { resourceType: 'Patient', ...leaver }));
      holds(reply, 'the deleted one left out', !found(reply).includes(id));
    });
    await check('PDQ-119-10 PDQ-119-17', async () => {
      refused(await matching({ resourceType: 'Parameters' }), 400);
      refused(await matching({ resourceType: 'Parameters', parameter: [{ name: 'count', valueInteger: 1 }] }), 400);
    });
    await check('PDQ-119-12', async () => {
      const modifierExtension = [{ url: 'http://example.org/unknown', valueBoolean: true }];
      const reply = await matching(parameters([], { ...asked, modifierExtension }));
      refused(reply, 400);
    });
    await check('PDQ-119-13 PDQ-119-15', async () => {
      const extension = [
        { url: 'http://example.org/unknown', valueString: 'x' },
        { url: MAIDEN, valueString: 'X' },
      ];
      const reply = await matching(parameters([], { ...asked, extension }));
      equal(reply, 'type', at(reply.body, 'type'), 'searchset');
    });
  },
};
