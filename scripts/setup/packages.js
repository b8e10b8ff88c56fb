/** Installs the npm packages of the checkout when they are missing or not those of the lock file. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:process';
import { checkoutNode, findProgram, inRoot, machineEnv } from './checkout.js';
import { run, SetupError, step } from './step.js';

const stamp = inRoot('node_modules', '.meet-packages');

export async function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock || !existsSync(checkoutNode)) {
    if (!matchesLock()) await step('installing packages', install);
    if (!existsSync(checkoutNode)) await step('installing Node for this checkout', installNode);
    makeExecutable();
    writeFileSync(stamp, lock);
  }
}

/** No install scripts: mediasoup's would download or build a worker and fail without GitHub. */
async function install() {
  const sentence = 'The packages could not be installed: see above, then run the command again.';
  await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], sentence);
}

/** The one install script that is wanted puts the Node of the lock file under node_modules/node/bin. */
async function installNode() {
  const sentence =
    "The checkout's own Node could not be installed: run `npm rebuild node` and see what it says.";
  await npm(['rebuild', 'node', '--ignore-scripts=false'], sentence);
  if (!existsSync(checkoutNode)) throw new SetupError(sentence);
}

async function npm(args, sentence) {
  const program = findProgram('npm');
  if (program === undefined) throw new SetupError('npm is not in PATH: install it together with Node.');
  await run(program, args, sentence, { env: machineEnv() });
}

/** What @ffmpeg-installer's install script does; a registry's archive may come without the mode. */
function makeExecutable() {
  const ffmpeg = inRoot('node_modules', '@ffmpeg-installer', `${platform}-${arch}`, 'ffmpeg');
  if (existsSync(ffmpeg)) chmodSync(ffmpeg, 0o755);
}

/** Whether npm itself has noted the lock file's packages as installed, as after a plain `npm install`. */
function matchesLock() {
  const hidden = inRoot('node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const wanted = packagesOf(inRoot('package-lock.json'));
  const installed = packagesOf(hidden);
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      path === '' ||
      link ||
      installed[path]?.version === version ||
      (optional && installed[path] === undefined),
  );
}

function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
}
