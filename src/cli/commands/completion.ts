import { Argument } from 'commander';
import { EXIT } from '../../protocol/errors.ts';
import { completionScript, SHELLS, type Shell } from '../completion.ts';
import type { OutputOptions } from '../context.ts';
import type { Registry } from '../program.ts';

export function registerCompletion({ program, command, action }: Registry): void {
  const completion = command('completion', 'print a script that completes meet in your shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .addHelpText(
      'after',
      '\nbash: source <(meet completion bash)\nzsh:  source <(meet completion zsh)\nfish: meet completion fish | source',
    );
  action<OutputOptions>(completion, async ({ context }, _options, args) => {
    context.stdout.write(completionScript(program, args[0] as Shell));
    return EXIT.done;
  });
}
