import { render } from 'preact';

import { App } from './app.tsx';
import { connect } from './feed.ts';
import { Store } from './store.ts';

/** Starts the page: connects, and draws what comes. */

const store = new Store();
const root = document.querySelector('#app')!;
root.textContent = '';
const feed = connect(store);
feed.catch((error: unknown) => store.become('over', error instanceof Error ? error.message : String(error)));
render(<App store={store} feed={feed} />, root);
