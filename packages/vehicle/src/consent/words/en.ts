/** English. */
import type { ConsentWords, Minutes } from './consent-words.ts';

const range = ({ low, high }: Minutes): string =>
  low === high ? `about ${plural(high)}` : `${low} to ${plural(high)}`;

function plural(minutes: number): string {
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

/** See `ConsentWords`. */
export const ENGLISH: ConsentWords = {
  nothingWritten: 'A software update for your vehicle is available.',
  headings: {
    purpose: 'Why',
    changes: 'What changes',
    time: 'How long it takes',
    unavailable: 'What does not work meanwhile',
    instructions: 'What you should do',
    terms: 'If you wait',
  },
  purposes: {
    recall: 'Recall: it removes a defect that the maker has reported to the authorities.',
    safety: 'Safety: it makes the vehicle safer.',
    security: 'Security: it closes a way in for attackers.',
    improvement: 'Improvement: the vehicle is safe without it, too.',
  },
  noChanges: 'The maker names no change in how the vehicle works.',
  allWorks: 'Everything keeps working.',
  noInstructions: 'There is nothing to prepare.',
  ask: {
    download: 'May the vehicle download this update?',
    install: 'May the vehicle install this update?',
    activate: 'May the vehicle restart with this update?',
  },
  roles: {
    owner: 'the owner',
    driver: 'the driver',
    fleet: 'the fleet manager',
    workshop: 'the workshop',
    renter: 'the renter',
    valet: 'the valet',
  },
  stepEffect: {
    download: 'You can drive while it downloads. You are asked again before anything is installed.',
    install: 'You can drive while it installs. You are asked again before the vehicle restarts.',
    activate: 'The vehicle must stay parked until it has restarted.',
  },
  downloadSize: (megabytes) => `The download is ${megabytes} MB.`,
  prepareTime: (minutes) => `Installing takes ${range(minutes)}.`,
  unusableTime: (minutes) =>
    `During the restart the vehicle cannot be driven for ${range(minutes)}.`,
  mayRefuse: 'You can say no. The vehicle then stays as it is.',
  mayRefuseUntil: (date) => `You can say no. The vehicle then stays as it is until ${date}.`,
  postponementsLeft: (left) =>
    left === 1 ? 'You can put it off once more.' : `You can put it off ${left} more times.`,
  noPostponementLeft: 'You cannot put it off any more. You can still say yes or no.',
  mandatory: 'The maker is obliged to bring this update into every vehicle of this kind.',
  lastDate: (date) => `You can put it off until ${date}.`,
  thenAsks: (date) =>
    `After ${date} you are asked for a yes or a no. Without a yes nothing happens.`,
  thenInstalls: (date) =>
    `Until ${date} you decide when. After that the vehicle installs it by itself, and restarts between 1 and 5 at night, parked.`,
  onlyWrittenIn: (language) => `The maker has written this in ${language} only.`,
};
