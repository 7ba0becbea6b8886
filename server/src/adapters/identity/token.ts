/** Tokens of issuers that the configuration names (IHE IUA; RFC 9068, 6750, 8705): verified here, never issued here. */
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { type Grant, GRANTS, type OwnProof } from '../../domain/principals.ts';
import { type IssuerKeys, IssuerUnreachable } from './issuer-keys.ts';

/** Signatures only: neither `none` nor a shared secret (HS*) is ever taken. */
export interface TrustedIssuer {
  /** Exactly as its tokens say it. */
  readonly issuer: string;
  /** A token is for one of these. */
  readonly audience: readonly string[];
  readonly jwksUri: string | null;
  /** Claim that names the client; null: `azp`, else `client_id`. */
  readonly clientClaim: string | null;
  /** What other scopes of this issuer stand for. */
  readonly scopes: Readonly<Record<string, readonly Grant[]>>;
  readonly requireCertificateBinding: boolean;
  readonly algorithms: readonly string[];
}

export type TokenVerdict =
  | {
      readonly kind: 'token';
      /** As the token names it; whether it is registered is not known here. */
      readonly client: string;
      readonly grants: ReadonlySet<Grant>;
      readonly proof: OwnProof;
      /** SHA-256 of the certificate that the token is bound to, lower-case hex. */
      readonly boundTo: string | null;
    }
  /** `words`: printable ASCII without quotes and backslashes, fit for RFC 6750's `error_description`. */
  | { readonly kind: 'refused'; readonly words: string }
  | { readonly kind: 'unreachable' };

export type TokenJudge = (token: string, now: () => Date) => Promise<TokenVerdict>;

const SKEW_SECONDS = 30;
const LONGEST_CLIENT = 64;

class Unfit extends Error {}

const unfit = (words: string): never => {
  throw new Unfit(words);
};

/** A type that says that it is an access token, or nothing at all: a logout or a proof token is none. */
const TYPES: readonly unknown[] = [undefined, 'jwt', 'at+jwt'];

const checkType = (token: string, { typ }: JWTPayload): void => {
  const header = decodeProtectedHeader(token).typ;
  const type: unknown = typeof header === 'string' ? header.toLowerCase().replace(/^application\//, '') : header;
  // Keycloak says in the claims what a token is for.
  const isAccess = typ === undefined || (typeof typ === 'string' && typ.toLowerCase() === 'bearer');
  if (!TYPES.includes(type) || !isAccess) unfit('The token is no access token.');
};

const clientOf = (claims: JWTPayload, { clientClaim }: TrustedIssuer): string => {
  const { azp, client_id: id } = claims;
  if (clientClaim === null && azp !== undefined && id !== undefined && azp !== id) unfit('The token names two clients.');
  const name: unknown = clientClaim === null ? (azp ?? id) : claims[clientClaim];
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_CLIENT) return unfit('The token names no client.');
  return name;
};

const words = (value: unknown): readonly string[] =>
  typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

const isGrant = (scope: string): scope is Grant => (GRANTS as readonly string[]).includes(scope);

/** `scope` of RFC 9068, or `scp` of others: our own names as they are, other names as the configuration maps them. */
const grantsOf = ({ scope, scp }: JWTPayload, { scopes }: TrustedIssuer): ReadonlySet<Grant> =>
  new Set(
    words(scope ?? scp).flatMap((one) => [
      ...(isGrant(one) ? [one] : []),
      ...(Object.hasOwn(scopes, one) ? (scopes[one] ?? []) : []),
    ]),
  );

/** RFC 8705, section 3.1. A token that is bound in another way (a key of DPoP) cannot be taken for one that is not. */
const boundTo = ({ cnf }: JWTPayload, { requireCertificateBinding }: TrustedIssuer): string | null => {
  if (cnf === undefined) return requireCertificateBinding ? unfit('The token is bound to no certificate.') : null;
  const members = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : [];
  const [name, value] = members.length === 1 ? (members[0] ?? []) : [];
  if (name !== 'x5t#S256' || typeof value !== 'string' || !/^[\w-]{43}=?$/.test(value))
    return unfit('The token is bound in a way that is not known here.');
  return Buffer.from(value, 'base64url').toString('hex');
};

const jtiOf = ({ jti }: JWTPayload): string | null => {
  if (jti === undefined) return null;
  // It goes into the audit, whole.
  if (typeof jti !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(jti)) return unfit('The id of the token is none that can be kept.');
  return jti;
};

/** In words; of what the token holds they repeat nothing. */
const objection = (error: unknown): string => {
  if (error instanceof Unfit) return error.message;
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `The claim ${error.claim.replaceAll(/\W/g, '')} of the token is missing or not as it must be.`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The algorithm of the token is not allowed.';
  if (error instanceof errors.JWKSNoMatchingKey) return 'The token is signed with a key that its issuer does not have.';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'The token does not say which key it is signed with.';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature of the token is wrong.';
  return 'This is no signed token.';
};

interface Known {
  readonly settings: TrustedIssuer;
  readonly keys: IssuerKeys;
}

async function verify(token: string, now: () => Date, known: ReadonlyMap<string, Known>): Promise<TokenVerdict> {
  const found = known.get(decodeJwt(token).iss ?? '');
  if (!found) return unfit('The issuer of the token is not known here.');
  const { settings, keys } = found;
  const { payload } = await jwtVerify(token, keys.find, {
    issuer: settings.issuer,
    audience: [...settings.audience],
    algorithms: [...settings.algorithms],
    requiredClaims: ['exp'],
    clockTolerance: SKEW_SECONDS,
    currentDate: now(),
  });
  checkType(token, payload);
  const client = clientOf(payload, settings);
  return {
    kind: 'token',
    client,
    grants: grantsOf(payload, settings),
    proof: { way: 'token', issuer: settings.issuer, client, jti: jtiOf(payload) },
    boundTo: boundTo(payload, settings),
  };
}

/** Judges tokens at every request: nothing of a verdict is remembered, so that one which expires on an open connection ends there. */
export function createTokenJudge(
  issuers: readonly { readonly settings: TrustedIssuer; readonly keys: IssuerKeys }[],
): TokenJudge {
  const known = new Map(issuers.map((one) => [one.settings.issuer, one]));
  return async (token, now) => {
    try {
      return await verify(token, now, known);
    } catch (error) {
      if (error instanceof IssuerUnreachable) return { kind: 'unreachable' };
      return { kind: 'refused', words: objection(error) };
    }
  };
}
