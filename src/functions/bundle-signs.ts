import { readFileSync } from 'node:fs';
import { dirname, extname, join, relative, sep } from 'node:path';

/** What shows in a file of JavaScript that a bundler or a minifier wrote it. */

/** esbuild and Vite name each module in a comment of its own. People name one at most: the file itself. */
const MODULE_COMMENT = /^\/\/(?:#region)? [^\s:]+\.(?:[cm]?[jt]sx?|json|vue)$/gm;
/** What webpack and Rspack call their own `require`, and how Rollup tells two variables of one name apart. */
const BUNDLER_NAME = /\b__webpack_require__\b|^(?:const|let|var|class|function\*?) \w+\$\d+\b/m;

/** Whether the file was made of several modules. */
export function isBundle(file: string): boolean {
  const text = read(file);
  if (text === undefined || !/^\.[cm]?js$/.test(extname(file))) return false;
  const sources = sourcesOf(file, text);
  // Compilers make each file of one.
  if (sources !== undefined) return sources > 1;
  const modules = new Set(text.match(MODULE_COMMENT));
  return modules.size > 1 || BUNDLER_NAME.test(text) || isMinifiedText(text) || isOfRollup(file, text);
}

/** Whether the whole file is on one line, or has lines of 500 characters on average. */
export function hasLongLines(file: string): boolean {
  const text = read(file);
  return text !== undefined && areLong(text);
}

function areLong(text: string): boolean {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^(?:#!|\/\/|\/\*)/.test(line));
  return lines.join('').length >= 500 * (lines.length - 1);
}

/** A person may write a program on one line, too, and then leaves spaces in it. */
function isMinifiedText(text: string): boolean {
  return areLong(text) && (text.match(/ /g)?.length ?? 0) < text.length / 10;
}

/** Folders of a package that builds write to. */
const OUTPUT = /^(?:build|bundle|dist|lib|out|output|\.output)$/;

/**
 * Rollup leaves no mark. Its output has no import of another file but of its own chunks, and all exports are at the end. This
 * is believed only in a package that names Rollup, and in a folder for output.
 */
function isOfRollup(file: string, text: string): boolean {
  if (/(?:\bfrom|\bimport|\brequire\()\s*['"]\.{1,2}\/(?![^'"]*-[\w-]{8}\.[cm]?js)/.test(text)) return false;
  if (/^export (?!\{)/m.test(text)) return false;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = read(join(folder, 'package.json'));
    // A build may write one without a name into its folder.
    if (manifest !== undefined && /"name"\s*:/.test(manifest)) {
      const isOutput = relative(folder, file)
        .split(sep)
        .slice(0, -1)
        .some((name) => OUTPUT.test(name));
      return isOutput && /"rollup"\s*:/.test(manifest);
    }
    if (dirname(folder) === folder) return false;
  }
}

/** How many files the source map names, in a file beside or in the text. Undefined without a source map. */
function sourcesOf(file: string, text: string): number | undefined {
  const inline = /^\/\/# sourceMappingURL=data:application\/json[^,\n]*;base64,(\S+)\s*$/m.exec(text)?.[1];
  const map = inline === undefined ? read(`${file}.map`) : Buffer.from(inline, 'base64').toString();
  if (map === undefined) return undefined;
  try {
    const { sources } = JSON.parse(map) as { sources?: unknown };
    return Array.isArray(sources) ? sources.length : undefined;
  } catch {
    return undefined;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
