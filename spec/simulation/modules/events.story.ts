import { story } from '../../../src/testing.ts';
import { eventsStory } from '../../support/stories/events.ts';

export default story(eventsStory(3, 1_000));
