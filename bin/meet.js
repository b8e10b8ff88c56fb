#!/usr/bin/env node
// Written so that old versions of Node can parse it and say what is wrong: no static imports, no `?.`, no
// top-level await.
/* biome-ignore-all lint: see above */

var WANTED = [22, 19];

function isNew(version) {
  var parts = version.split('.').map(Number);
  return parts[0] > WANTED[0] || (parts[0] === WANTED[0] && parts[1] >= WANTED[1]);
}

function fail(sentence) {
  process.stderr.write(sentence + '\n');
  process.exitCode = 1;
}

function path(relative) {
  return decodeURIComponent(new URL(relative, import.meta.url).pathname);
}

/**
 * `npx` hands a SIGTERM to the shell that it starts us in, which dies of it and passes nothing on: the end of the
 * shell is the signal.
 */
function endWithNpx() {
  if (process.env.npm_command !== 'exec') return;
  var parent = process.ppid;
  var timer = setInterval(function () {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  timer.unref();
}

/** Starts the command line in this process. */
function start(fs, nodeModule) {
  // Compiled code is kept between starts: it halves the time to the first line.
  if (nodeModule.enableCompileCache) nodeModule.enableCompileCache();
  // React, which draws the screens, checks itself at several times the cost otherwise.
  if (!process.env.NODE_ENV) process.env.NODE_ENV = 'production';
  if (process.env.MEET_LAUNCHED && process.channel) {
    // A launcher that was killed cannot pass a signal on; its end is one.
    delete process.env.MEET_LAUNCHED;
    process.once('disconnect', function () {
      process.kill(process.pid, 'SIGTERM');
    });
    process.channel.unref();
  }
  if (!fs.existsSync(path('../dist/cli/main.js'))) {
    return fail('meet is not built yet: run `npm run build` in ' + path('..') + ' and try again.');
  }
  return import('../dist/cli/main.js')
    .then(function (cli) {
      return cli.main(process.argv);
    })
    .then(function (code) {
      process.exitCode = code;
    });
}

/** Starts it in the Node that a checkout brings, or says what is needed. */
function startInCheckout(fs) {
  var node = path('../node_modules/node/bin/node');
  if (fs.existsSync(node)) {
    return import('../scripts/setup/launch.js')
      .then(function (launcher) {
        return launcher.launch(node, process.argv.slice(1));
      })
      .then(function (code) {
        process.exitCode = code;
      });
  }
  var sentence =
    'meet needs Node ' + WANTED.join('.') + ' or newer and this is ' + process.versions.node + ': ';
  if (fs.existsSync(path('../scripts'))) {
    return fail(
      sentence +
        'run `npm run build` in ' +
        path('..') +
        ' once, which brings a newer one for `npx meet` and `npm run`.',
    );
  }
  return fail(sentence + 'install a newer one from https://nodejs.org, or `npm install node` beside meet.');
}

import('fs')
  .then(function (fs) {
    endWithNpx();
    if (!isNew(process.versions.node)) return startInCheckout(fs);
    return import('module').then(function (nodeModule) {
      return start(fs, nodeModule.default);
    });
  })
  .catch(function (error) {
    fail(error && error.stack ? error.stack : String(error));
  });
