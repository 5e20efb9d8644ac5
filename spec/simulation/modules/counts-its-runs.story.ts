import { story } from 'app-net/testing';

let runs = 0;

export default story(({ note }) => {
  runs += 1;
  note(`run ${runs}`);
});
