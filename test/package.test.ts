/** What `npm pack` puts into the package. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CLIPS } from '../src/media/clips.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Manifest {
  readonly bin: Record<string, string>;
  readonly exports: Record<string, string | { types: string; default: string }>;
  readonly dependencies: Record<string, string>;
}
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

function packed(): string[] {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [list] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  return list.files.map(({ path }) => path);
}

test('has what it starts, exports, plays and builds with, and no sources', () => {
  const files = packed();
  const exported = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : [entry.types, entry.default],
  );
  const wanted = [
    ...Object.values(manifest.bin),
    ...exported.map((path) => path.replace('./', '')),
    ...CLIPS.map((path) => path.slice(ROOT.length)),
    ...['CMakeLists.txt', 'own-session.sh', 'compat/srtp.h'].map((name) => `native/mediasoup-worker/${name}`),
    ...['assets/canvas.wasm', 'assets/fonts/NotoSans-Regular.ttf', 'assets/fonts/OFL-NotoEmoji.txt'],
    ...['dist/cli/main.js', 'dist/setup/index.js', 'README.md', 'docs/ERRORS.md'],
  ];
  expect(files).toEqual(expect.arrayContaining(wanted));
  expect(files.filter((path) => /^(src|test|bench|scripts|node_modules)\//.test(path))).toEqual([]);
});

test('declares what the bundle leaves outside', () => {
  const chunks = packed().filter((path) => /^dist\/.*\.js$/.test(path));
  const outside = new Set<string>();
  for (const chunk of chunks) {
    const code = readFileSync(join(ROOT, chunk), 'utf8');
    for (const [, target = ''] of code.matchAll(/^import (?:[^'"]*? from )?["']([^."'][^"']*)["'];$/gm)) {
      if (!target.startsWith('node:'))
        outside.add(
          target
            .split('/')
            .slice(0, target.startsWith('@') ? 2 : 1)
            .join('/'),
        );
    }
  }
  expect(outside.size).toBeGreaterThan(5);
  expect([...outside].filter((name) => manifest.dependencies[name] === undefined)).toEqual([]);
});
