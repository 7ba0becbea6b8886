/** The structure of an audit message as PS3.15 A.5.1 has it (its RELAX NG schema), told in rules of our own. */
import type { Node } from './read-xml.fixture.ts';

interface Shape {
  /** Attributes that must be there, and what they look like; a name that ends in `?` may be absent. */
  readonly attributes: Readonly<Record<string, RegExp>>;
  /** Children in their order: a name alone stands once, `?` at most once, `*` any number, `+` at least one. */
  readonly children: readonly string[];
  readonly text?: RegExp;
}

const ANY = /^[^]*$/;
const TOKEN = /^(?! )[^\t\n\r]*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const CODED: Shape = {
  attributes: { 'csd-code': /./, codeSystemName: /./, 'displayName?': TOKEN, originalText: /./ },
  children: [],
};

const SHAPES: Readonly<Record<string, Shape>> = {
  AuditMessage: {
    attributes: {},
    children: ['EventIdentification', 'ActiveParticipant+', 'AuditSourceIdentification', 'ParticipantObjectIdentification*'],
  },
  EventIdentification: {
    attributes: {
      'EventActionCode?': /^[CRUDE]$/,
      EventDateTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
      EventOutcomeIndicator: /^(0|4|8|12)$/,
    },
    children: ['EventID', 'EventTypeCode*', 'EventOutcomeDescription?'],
  },
  EventID: CODED,
  EventTypeCode: CODED,
  EventOutcomeDescription: { attributes: {}, children: [], text: ANY },
  ActiveParticipant: {
    attributes: {
      UserID: /./,
      'AlternativeUserID?': ANY,
      'UserName?': ANY,
      UserIsRequestor: /^(true|false)$/,
      'NetworkAccessPointID?': TOKEN,
      'NetworkAccessPointTypeCode?': /^[1-5]$/,
    },
    children: ['RoleIDCode*', 'MediaIdentifier?'],
  },
  RoleIDCode: CODED,
  AuditSourceIdentification: {
    attributes: { 'AuditEnterpriseSiteID?': TOKEN, AuditSourceID: /./ },
    children: ['AuditSourceTypeCode*'],
  },
  AuditSourceTypeCode: { attributes: { 'csd-code': /^[1-9]$/ }, children: [] },
  ParticipantObjectIdentification: {
    attributes: {
      ParticipantObjectID: /./,
      'ParticipantObjectTypeCode?': /^[1-4]$/,
      'ParticipantObjectTypeCodeRole?': /^([1-9]|1\d|2[0-6])$/,
      'ParticipantObjectDataLifeCycle?': /^([1-9]|1[0-5])$/,
      'ParticipantObjectSensitivity?': TOKEN,
    },
    children: ['ParticipantObjectIDTypeCode', 'ParticipantObjectName|ParticipantObjectQuery', 'ParticipantObjectDetail*'],
  },
  ParticipantObjectIDTypeCode: CODED,
  ParticipantObjectName: { attributes: {}, children: [], text: ANY },
  ParticipantObjectQuery: { attributes: {}, children: [], text: BASE64 },
  ParticipantObjectDetail: { attributes: { type: /./, value: BASE64 }, children: [] },
};

const childrenPattern = (names: readonly string[]): RegExp =>
  new RegExp(`^${names.map((name) => `(?:(?:${name.replace(/[?*+]$/, '')}) )${/[?*+]$/.exec(name)?.[0] ?? ''}`).join('')}$`);

/** What breaks the rules, in words; nothing for a message that keeps them. */
export function faultsOf(node: Node): readonly string[] {
  const shape = SHAPES[node.name];
  if (!shape) return [`${node.name} is no element of an audit message`];
  const known = Object.entries(shape.attributes).map(([key, form]) => ({
    key: key.replace('?', ''),
    optional: key.endsWith('?'),
    form,
  }));
  const faults = known.flatMap(({ key, optional, form }) => {
    const value = node.attributes[key];
    if (value === undefined) return optional ? [] : [`${node.name} lacks ${key}`];
    return form.test(value) ? [] : [`${key} of ${node.name} is ${value}`];
  });
  const strange = Object.keys(node.attributes).filter((key) => !known.some((one) => one.key === key));
  const order = node.children.map(({ name }) => `${name} `).join('');
  return [
    ...faults,
    ...strange.map((key) => `${node.name} has ${key}`),
    ...(childrenPattern(shape.children).test(order) ? [] : [`${node.name} holds ${order}`]),
    ...((shape.text ?? /^$/).test(node.text) ? [] : [`${node.name} says ${node.text}`]),
    ...node.children.flatMap(faultsOf),
  ];
}
