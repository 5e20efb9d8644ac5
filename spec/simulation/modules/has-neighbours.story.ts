import { story } from 'app-net/testing';

export default story(() => {
  if (process.env['APP_NET_NEIGHBOURS'] !== '2') throw new Error('not the environment of now');
});
