/** Examples of the documents, so that tests run what readers copy. */
import { readFile } from 'node:fs/promises';

/** The first fenced block of a language below a heading of a document in docs/. */
export async function docExample(document: string, heading: string, language: string): Promise<string> {
  const text = await readFile(new URL(`../../docs/${document}`, import.meta.url), 'utf8');
  const [, section] = text.split(`\n## ${heading}\n`);
  const block = section?.split(/\n## /)[0]?.match(new RegExp(`\n\`\`\`${language}\n(.*?)\n\`\`\``, 's'))?.[1];
  if (block === undefined) throw new Error(`${document} has no ${language} block below "${heading}"`);
  return block;
}
