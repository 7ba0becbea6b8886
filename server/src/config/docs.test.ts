import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { comparators } from '../matching/comparators/index.ts';
import { unwrap } from '../rules/complaints.ts';
import { fieldSchema, filterSchema, ruleSchema } from '../rules/schema.ts';
import { accepted } from '../rules/rules.fixture.ts';
import { configSchema } from './schema.ts';

const page = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

/** Every `section.key` of a schema; below a list or a record, the keys of its entries. */
const keysOf = (schema: z.core.$ZodType): readonly string[] => {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodArray) return keysOf(bare.element);
  if (!(bare instanceof z.ZodObject)) return [];
  return Object.entries(bare.shape).flatMap(([key, child]) => [key, ...keysOf(child)]);
};

describe('docs/configuration.md', () => {
  it('names every key of the schema', () => {
    const text = page('configuration.md');
    expect(keysOf(configSchema).filter((key) => !new RegExp(`\\b${key}\\b`).test(text))).toEqual([]);
  });
});

describe('docs/decision-rules.md', () => {
  const text = page('decision-rules.md');

  it('names every algorithm, 1.x’s phonetic among them, which is refused', () => {
    const names = [...comparators.flatMap(({ name, aliases }) => [name, ...aliases]), 'phonetic'];
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('names every key of rules, fields and filters', () => {
    const keys = [ruleSchema, fieldSchema, filterSchema].flatMap(keysOf);
    expect(keys.filter((key) => !text.includes(`\`${key}\``))).toEqual([]);
  });

  it('has examples that are accepted as they stand', () => {
    const examples = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) => JSON.parse(json));
    expect(examples).toHaveLength(2);
    for (const example of examples) expect(accepted(example).ruleSet.rules).toHaveLength(1);
  });

  it('gives the mission’s example as config/mission-rules.json has it', () => {
    const shipped = JSON.parse(readFileSync(new URL('../../../config/mission-rules.json', import.meta.url), 'utf8'));
    const printed = JSON.parse([...text.matchAll(/```json\n(.*?)```/gs)][1]?.[1] ?? '');
    expect(printed.rules).toEqual(shipped.rules);
  });
});
