import { simulate, story } from 'app-net/testing';

await simulate({ seeds: 1 }, new URL(import.meta.url));

export default story(() => {});
