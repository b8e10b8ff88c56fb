/** Scenario files: YAML, JSON, or a module that exports one by default. */
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Value } from 'typebox/value';
import { parse, YAMLParseError } from 'yaml';
import { MeetError } from '../../protocol/errors.ts';
import { ScenarioFile } from './types.ts';

const MODULES = ['.ts', '.mts', '.js', '.mjs'];

/**
 * Reads a scenario file.
 *
 * @throws MeetError `bad-config` when it is not there or says something that no scenario says
 */
export async function readScenario(path: string): Promise<ScenarioFile> {
  const file = resolve(path);
  const value = MODULES.includes(extname(file)) ? await importDefault(file) : await parseFile(file);
  const plain = camelKeys(value);
  if (Value.Check(ScenarioFile, plain)) return plain;
  const [problem] = Value.Errors(ScenarioFile, plain);
  const at = problem?.instancePath.split('/').filter(Boolean).join('.') || 'it';
  throw new MeetError('bad-config', `The scenario ${path} cannot be used: ${at} ${problem?.message}.`, {
    hint: 'docs/CLI.md has an example.',
  });
}

async function parseFile(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new MeetError('bad-config', `The scenario ${file} cannot be read.`, { cause });
  }
  try {
    return parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof YAMLParseError ? cause.message.split('\n')[0] : String(cause);
    throw new MeetError('bad-config', `The scenario ${file} is no YAML: ${why}`, { cause });
  }
}

/** TypeScript is run as it is: Node takes the types out. */
async function importDefault(file: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    return module.default;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MeetError('bad-config', `The scenario ${file} cannot be loaded: ${why}`, { cause });
  }
}

/** Keys may be written as the options are: `join-leave` is `joinLeave`. Names of checks and thresholds stay. */
function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
      key === 'thresholds' || key === 'checks' ? inner : camelKeys(inner),
    ]),
  );
}
