/** The direction of imports and the seams of docs/ARCHITECTURE.md, read from the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SOURCES = fileURLToPath(new URL('../src', import.meta.url));

/** A folder or file directly below src/, and those that it may import; `cli` may import all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'package-root': [],
  protocol: [],
  media: ['package-root', 'protocol'],
  client: ['media', 'protocol'],
  server: ['objects', 'protocol'],
  setup: ['media', 'package-root', 'protocol'],
  load: ['client', 'media', 'protocol'],
  recorder: ['client', 'media', 'objects', 'package-root', 'protocol'],
  objects: ['protocol'],
  tui: ['client', 'load', 'media', 'protocol'],
  index: ['client', 'media', 'protocol'],
};

/** Packages that one part of the sources wraps for the rest. */
const SEAMS: Readonly<Record<string, RegExp>> = {
  werift: /^client\/transport\/werift/,
  mediasoup: /^(server\/sfu\/|setup\/doctor\/worker\.ts)/,
  'mediasoup-client': /^server\/sfu\//,
  kysely: /^server\/store\//,
  pg: /^server\/store\//,
  '@aws-sdk/client-s3': /^(server\/store\/objects|objects|recorder\/upload)\//,
  fastify: /^server\/(http\/|server\.ts)/,
  ink: /^tui\//,
  react: /^tui\//,
  commander: /^cli\//,
};

interface Import {
  /** What is written: a package, or the path from src/ of a file of ours. */
  readonly target: string;
  /** Gone after compilation. */
  readonly typeOnly: boolean;
}

const files = (readdirSync(SOURCES, { recursive: true }) as string[]).filter((name) => /\.tsx?$/.test(name));
const codeOf = new Map(
  files.map((file) => [file, withoutComments(readFileSync(join(SOURCES, file), 'utf8'))]),
);
const importsOf = new Map([...codeOf].map(([file, code]) => [file, findImports(file, code)]));

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function findImports(file: string, code: string): Import[] {
  const statements = code.matchAll(/^(import|export) (type )?(?:[^;'"(=]*? from )?'([^']+)'/gm);
  const dynamic = code.matchAll(/\bimport\('([^']+)'\)/g);
  const resolve = (target: string) =>
    target.startsWith('.') ? normalize(join(dirname(file), target)) : target;
  return [
    ...Array.from(statements, ([, , type, target]) => ({
      target: resolve(target!),
      typeOnly: Boolean(type),
    })),
    ...Array.from(dynamic, ([, target]) => ({ target: resolve(target!), typeOnly: false })),
  ];
}

/** The folder or file directly below src/ that a file belongs to. */
const partOf = (file: string): string => file.split('/')[0]!.replace(/\.tsx?$/, '');

/** Name of the package of an import; `undefined` for our own files and for Node's modules. */
function packageOf({ target }: Import): string | undefined {
  if (codeOf.has(target) || target.startsWith('node:')) return undefined;
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

test('every import of ours is of a file that exists', () => {
  const missing = [...importsOf].flatMap(([file, imports]) =>
    imports
      .filter(({ target }) => /\.tsx?$/.test(target) && !codeOf.has(target))
      .map(({ target }) => `${file} → ${target}`),
  );
  expect(missing).toEqual([]);
});

test('imports point one way', () => {
  const wrong: string[] = [];
  for (const [file, imports] of importsOf) {
    const part = partOf(file);
    if (part === 'cli') continue;
    for (const { target } of imports) {
      if (!codeOf.has(target) || partOf(target) === part) continue;
      if (!MAY_IMPORT[part]?.includes(partOf(target))) wrong.push(`${file} → ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('no file imports itself by way of others', () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) cycles.push([...path.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    for (const { target, typeOnly } of importsOf.get(file) ?? []) {
      if (!typeOnly && codeOf.has(target)) visit(target, [...path, file]);
    }
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

describe('one part wraps', () => {
  test.each(Object.entries(SEAMS))('%s', (name, where) => {
    const users = [...importsOf].filter(([, imports]) => imports.some((one) => packageOf(one) === name));
    expect(users).not.toEqual([]);
    expect(users.map(([file]) => file).filter((file) => !where.test(file))).toEqual([]);
  });
});

test('only the command line reads arguments, the environment and the terminal', () => {
  const reading = [...codeOf].flatMap(([file, code]) =>
    partOf(file) === 'cli'
      ? []
      : Array.from(
          code.matchAll(
            /(?<![.#])\bprocess\.(argv|env|stdin|stdout|stderr|exit|exitCode)\b|\bconsole\.\w+\(/g,
          ),
          ([found]) => `${file}: ${found}`,
        ),
  );
  expect(reading).toEqual([]);
});

test('packages that the sources use are dependencies', () => {
  const manifest = JSON.parse(readFileSync(join(SOURCES, '..', 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const used = new Set([...importsOf.values()].flat().map(packageOf));
  used.delete(undefined);
  expect([...used].filter((name) => manifest.dependencies[name!] === undefined)).toEqual([]);
});

test('what is exported is used', () => {
  const others = ['test', 'bench', 'scripts'].flatMap((name) => {
    const path = join(SOURCES, '..', name);
    return (readdirSync(path, { recursive: true }) as string[])
      .filter((file) => /\.[tj]sx?$/.test(file))
      .map((file): [string, string] => [join('..', name, file), readFileSync(join(path, file), 'utf8')]);
  });
  const words = [...codeOf, ...others].map(([file, code]) => ({
    file,
    words: new Set(code.match(/[\w$]+/g)),
  }));
  const unused: string[] = [];
  for (const [file, code] of codeOf) {
    // What the package exports is for its users.
    if (partOf(file) === 'protocol') continue;
    for (const [, name] of code.matchAll(/^export (?:async )?(?:const|function\*?|class) ([\w$]+)/gm)) {
      const here = code.split(/[^\w$]+/).filter((word) => word === name).length;
      const elsewhere = words.some((other) => other.file !== file && other.words.has(name!));
      if (here === 1 && !elsewhere) unused.push(`${file}: ${name}`);
    }
  }
  expect(unused).toEqual([]);
});
