import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

import { expect } from 'chai';

import { REPOSITORY } from '../support/processes.ts';

const filesIn = (folder: string): string[] =>
  readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
    join(folder, file),
  );
const pagesIn = (folder: string): string[] => filesIn(folder).filter((file) => file.endsWith('.md'));

const PACKED = [
  ...['README.md', 'bench/README.md', 'clients/python/README.md', 'examples/README.md'],
  ...pagesIn('docs'),
];
const PAGES = [...PACKED, 'CONTRIBUTING.md', ...pagesIn('src')];

/** Where the page links to and what it shows, without its snippets and addresses on the web. */
function links(page: string): string[] {
  const text = readFileSync(join(REPOSITORY, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  const found = text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g);
  const targets = [...found].map(([, link, attribute]) => link ?? attribute!);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that GitHub makes of the headings of a page, and those that the page sets itself. */
function anchors(file: string): Set<string> {
  const found = new Set<string>();
  const text = readFileSync(file, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  for (const [, heading] of text.matchAll(/^#+ (.+)$/gm)) {
    const name = heading!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
    const anchor = name.trim().replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; found.has(unique); count += 1) unique = `${anchor}-${count}`;
    found.add(unique);
  }
  for (const [, id] of text.matchAll(/<a id="([^"]+)">/g)) found.add(id!);
  return found;
}

describe('the links of the pages', () => {
  for (const page of PAGES) {
    it(`of ${page} lead somewhere`, () => {
      const broken = links(page).filter((target) => {
        const [path, anchor] = target.split('#');
        const file = path ? join(REPOSITORY, page, '..', path) : join(REPOSITORY, page);
        if (!existsSync(file)) return true;
        return anchor !== undefined && file.endsWith('.md') && !anchors(file).has(anchor);
      });
      expect(broken).to.deep.equal([]);
    });
  }

  it('lead from docs/README.md to every page of docs', () => {
    const linked = new Set(links('docs/README.md').map((target) => join('docs', target)));
    const own = pagesIn('docs').filter((page) => !page.startsWith('docs/api/app-net'));
    expect(own.filter((page) => page !== 'docs/README.md' && !linked.has(page))).to.deep.equal([]);
  });

  it('stay within the package', () => {
    const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
      files: string[];
    };
    const outside = PACKED.flatMap((page) =>
      links(page).filter((target) => {
        const path = target.split('#')[0]!;
        const file = path ? relative(REPOSITORY, join(REPOSITORY, page, '..', path)) : page;
        const isIn = (each: string): boolean => file === each || file.startsWith(`${each}/`);
        const isLeftOut = manifest.files.some((each) => each.startsWith('!') && isIn(each.slice(1)));
        return isLeftOut || !['README.md', ...manifest.files].some(isIn);
      }),
    );
    expect(outside).to.deep.equal([]);
  });
});

describe('the maps of the source', () => {
  const files = ['src', 'spec', 'tools'].flatMap(filesIn);

  for (const page of ['docs/architecture.md', ...pagesIn('src')]) {
    it(`in ${page} name files that are there`, () => {
      const text = readFileSync(join(REPOSITORY, page), 'utf8');
      const named = [...text.matchAll(/`([\w./-]+\.tsx?)`/g)].map(([, name]) => name!);
      const isThere = (name: string): boolean =>
        files.some((file) => file === name || file.endsWith(`/${name}`));
      expect(named.filter((name) => !isThere(name))).to.deep.equal([]);
    });
  }
});
