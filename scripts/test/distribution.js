/** The distribution's programs that tests use: installed where that is possible, else the tests skip. */
import { existsSync } from 'node:fs';
import { getuid } from 'node:process';
import { findProgram } from '../setup/checkout.js';
import { capture, step } from '../setup/step.js';

/** Debian package, a program of it, what the tests do with it. */
const PACKAGES = [
  ['ffmpeg', 'ffmpeg', 'makes and decodes clips'],
  ['chromium', 'chromium', 'joins a meeting as a browser'],
  ['iproute2', 'ip', 'network namespaces for loss, blocked UDP and TURN'],
  ['iputils-ping', 'ping', 'round trips between network namespaces'],
  ['nftables', 'nft', 'drops packets in a network namespace'],
  ['coturn', 'turnserver', 'TURN with REST credentials'],
  ['postgresql', '/usr/lib/postgresql', 'the store on PostgreSQL'],
  ['clamav-daemon', '/usr/sbin/clamd', 'looks for viruses in files of the chat'],
  ['tesseract-ocr', 'tesseract', 'reads the labels of a recording'],
  ['openssl', 'openssl', 'certificates for TLS'],
  ['procps', 'ps', 'counts the processes that a command leaves'],
  ['tmux', 'tmux', 'a terminal for the commands that draw and ask'],
  ['prometheus', 'prometheus', "the dashboard's queries on the server's metrics"],
  ['zsh', 'zsh', 'completion in zsh'],
  ['fish', 'fish', 'completion in fish'],
];

/** Installs what is missing with one call of apt-get; says what tests will skip where it cannot. */
export async function ensureDistributionPackages() {
  const missing = PACKAGES.filter(([, program]) => !isThere(program));
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name);
  const apt = await aptGet();
  if (apt !== undefined) {
    const installed = await step(`installing ${names.join(', ')} for the tests`, () => install(apt, names));
    if (installed) return;
  }
  process.stderr.write('Not installed, and tests that need it are skipped:\n');
  for (const [name, , use] of missing) process.stderr.write(`  ${name}: ${use}\n`);
  process.stderr.write(`To run them: sudo apt-get install --no-install-recommends ${names.join(' ')}\n`);
}

function isThere(program) {
  // sbin is not in an ordinary user's PATH, and ip and nft are there.
  return program.startsWith('/')
    ? existsSync(program)
    : findProgram(program) !== undefined || existsSync(`/usr/sbin/${program}`);
}

/** The words that start apt-get as root; `undefined` where this user cannot without a password. */
async function aptGet() {
  const apt = findProgram('apt-get');
  if (apt === undefined) return undefined;
  if (getuid?.() === 0) return [apt];
  return (await capture('sudo', ['-n', 'true'])).code === 0 ? ['sudo', '-n', apt] : undefined;
}

async function install([program, ...words], names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => capture(program, [...words, '-o', 'DPkg::Lock::Timeout=120', ...args], { env });
  const attempt = () => apt('install', '-y', '--no-install-recommends', ...names);
  if ((await attempt()).code === 0) return true;
  // A fresh image has no package lists, an old one has lists that name files which are gone.
  await apt('update');
  return (await attempt()).code === 0;
}
