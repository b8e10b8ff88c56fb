/** Checks what comes from outside against the protocol's schemas and says in words what does not fit. */
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';

export type Checked<T> = { readonly value: T } | { readonly problem: string };

/** Compiles a schema once; `subject` is what a sentence calls the whole value ("The body"). */
export function compileCheck<T extends TSchema>(
  schema: T,
  subject: string,
): (value: unknown) => Checked<Static<T>> {
  const validator = Compile(schema);
  return (value) =>
    validator.Check(value)
      ? { value: value as Static<T> }
      : { problem: describeProblem(validator.Errors(value), subject) };
}

/** One sentence for the most telling of the errors: the one deepest inside the value. */
function describeProblem(errors: readonly TLocalizedValidationError[], subject: string): string {
  let [worst] = errors;
  for (const error of errors) {
    if (worst === undefined || depth(error) > depth(worst)) worst = error;
  }
  if (worst === undefined) return `${subject} does not fit its schema.`;
  return sentence(worst, subject, errors);
}

const depth = (error: TLocalizedValidationError) => error.instancePath.split('/').length;

function sentence(
  error: TLocalizedValidationError,
  subject: string,
  all: readonly TLocalizedValidationError[],
): string {
  const name = fieldName(error.instancePath);
  const field = name === '' ? subject : `"${name}"`;
  const inside = (property: string) => `"${name === '' ? property : `${name}.${property}`}"`;
  switch (error.keyword) {
    case 'required':
      return `${list(error.params.requiredProperties.map(inside))} is missing.`;
    case 'additionalProperties':
      return `${list(error.params.additionalProperties.map(inside))} is not known here.`;
    // What `additionalProperties: false` says of the property itself.
    case 'boolean':
      return `${field} is not known here.`;
    case 'type':
      return `${field} must be ${typeNames(all, error.instancePath)}.`;
    case 'minLength':
      return `${field} must not be shorter than ${error.params.limit} ${plural(error.params.limit, 'character')}.`;
    case 'maxLength':
      return `${field} must not be longer than ${error.params.limit} ${plural(error.params.limit, 'character')}.`;
    case 'minimum':
      return `${field} must be ${error.params.limit} or more.`;
    case 'maximum':
      return `${field} must be ${error.params.limit} or less.`;
    case 'maxItems':
      return `${field} must not have more than ${error.params.limit} items.`;
    case 'const':
    case 'enum':
      return `${field} must be ${list(allowedValues(all, error.instancePath), 'or')}.`;
    default:
      return `${field} ${error.message}.`;
  }
}

/** `/settings/password` → `settings.password`, `/tracks/0/mid` → `tracks[0].mid` (RFC 6901 undone). */
function fieldName(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '')
    .slice(0, 80);
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
};

function typeNames(errors: readonly TLocalizedValidationError[], path: string): string {
  const types = errors
    .filter((error) => error.instancePath === path && error.keyword === 'type')
    .flatMap((error) => (error.keyword === 'type' ? error.params.type : []));
  return list(
    [...new Set(types)].map((type) => TYPE_NAMES[type] ?? type),
    'or',
  );
}

function allowedValues(errors: readonly TLocalizedValidationError[], path: string): string[] {
  return errors
    .filter((error) => error.instancePath === path)
    .flatMap((error) => {
      if (error.keyword === 'const') return [error.params.allowedValue];
      return error.keyword === 'enum' ? error.params.allowedValues : [];
    })
    .map((value) => JSON.stringify(value));
}

function list(items: readonly string[], word = 'and'): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} ${word} ${items.at(-1)}`;
}

const plural = (count: number | bigint, noun: string) => (Number(count) === 1 ? noun : `${noun}s`);
