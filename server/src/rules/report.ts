import type { z } from 'zod';
import { complaintsOf, fieldPath, type Path } from './complaints.ts';
import { isObject } from './json.ts';

/** Gathers all that is wrong with a rules file, so that its author hears everything at once. */
export interface Report {
  /** Says nothing where the field, or what holds it, has been complained about already. */
  complain(path: Path, text: string): void;
  warn(path: Path, text: string): void;
  /** Whether the field and everything in it is sound so far. */
  isSound(path: Path): boolean;
  /** Complains about what the schema refuses in `input`, which stands at `path`; answers with the members that are sound. */
  part<S extends z.ZodObject>(schema: S, input: unknown, path: Path): z.infer<S>;
  readonly complaints: readonly string[];
  readonly warnings: readonly string[];
}

const within = (path: Path, outer: Path): boolean => outer.every((key, index) => path[index] === key);

/** Every member of the schemas given to `part` is optional, so that any of them can be left out. */
export function createReport(fileName: string): Report {
  const paths: Path[] = [];
  const complaints: string[] = [];
  const warnings: string[] = [];
  const said = (path: Path, text: string): string => `${fileName}: ${path.length === 0 ? '' : `${fieldPath(path)}: `}${text}`;

  const complain = (path: Path, text: string): void => {
    if (paths.some((outer) => within(path, outer))) return;
    paths.push(path);
    complaints.push(said(path, text));
  };

  return {
    complain,
    warn: (path, text) => warnings.push(said(path, text)),
    isSound: (path) => !paths.some((inner) => within(inner, path) || within(path, inner)),
    part(schema, input, path) {
      const found = complaintsOf(schema, input);
      for (const { path: inner, text } of found) complain([...path, ...inner], text);
      const broken = new Set(found.map((complaint) => String(complaint.path[0])));
      const members = isObject(input) ? Object.entries(input).filter(([key]) => !broken.has(key)) : [];
      return schema.parse(Object.fromEntries(members));
    },
    complaints,
    warnings,
  };
}
