/** English. */
import type { ScreenWords } from './screen-words.ts';

/** See `ScreenWords`. */
export const ENGLISH: ScreenWords = {
  labels: {
    product: 'Vehicle software',
    skip: 'Skip to content',
    language: 'Language',
    update: 'Update',
    history: 'History',
    noHistory: 'No update has been installed yet.',
    back: 'Back',
    pairHeadline: 'Connect this screen',
    pairExplanation:
      'Enter the code that your vehicle shows. It works once and says who you are to the vehicle.',
    pairField: 'Code',
    pairButton: 'Connect',
    accept: {
      download: 'Yes, download',
      install: 'Yes, install now',
      activate: 'Yes, restart now',
    },
    decline: 'No',
    later: 'Ask me later',
    laterQuestion: 'When shall we ask again?',
    inAnHour: 'In one hour',
    tomorrow: 'Tomorrow at 8:00',
    whenQuestion: 'When shall it begin?',
    otherTime: 'Yes, at another time',
    pickTime: 'Date and time at the vehicle',
    confirmTime: 'Confirm this time',
    cancel: 'Cancel',
    reconsider: 'Change this decision',
    done: 'Done',
    signOut: 'Disconnect this screen',
    whatChanged: 'What changed',
    manual: 'Read again in the manual',
    decisions: 'Who decided',
    offline: 'The connection to the vehicle is lost. It is tried again by itself.',
    sending: 'One moment …',
    people: 'People',
    peopleExplanation:
      'Let somebody else connect a screen. What they may decide depends on who they are.',
    invite: 'Make a code for',
    invited: 'This code works once:',
  },
  badges: {
    recall: 'Recall',
    safety: 'Safety',
    security: 'Security',
    improvement: 'Improvement',
  },
  steps: { download: 'Download', install: 'Installation', activate: 'Restart' },
  stepOf: (number, name) => `Step ${number} of 3: ${name}`,
  youAre: (role) => `You are connected as ${role}.`,
  whoDecides: (roles) => `You may read this. The decision belongs to ${roles}.`,
  joinOr: (names) => new Intl.ListFormat('en', { type: 'disjunction' }).format(names),
  tonight: (time) => `Yes, tonight at ${time}`,
  driving: {
    headline: 'Have a good trip',
    sentences: ['While the vehicle is not parked there is nothing to read or to decide here.'],
  },
  idle: {
    headline: 'Your vehicle is up to date',
    sentences: ['There is nothing to do.'],
  },
  unchecked: {
    headline: 'Not checked yet',
    sentences: ['The vehicle has not looked for updates yet. It does so by itself.'],
  },
  lastChecked: (date) => `Last checked on ${date}.`,
  working: {
    download: {
      headline: 'Downloading',
      sentences: [
        'You can drive meanwhile. If the connection breaks, it goes on where it stopped.',
      ],
    },
    install: {
      headline: 'Installing beside what is running',
      sentences: ['You can drive meanwhile. You are asked before the vehicle restarts.'],
    },
    activate: {
      headline: 'Restarting with the new software',
      sentences: [
        'Please leave the vehicle parked. It cannot be driven until this is finished.',
        'If something goes wrong, the vehicle goes back to what it had before.',
      ],
    },
    'roll-back': {
      headline: 'Going back to what you had before',
      sentences: [
        'A part did not start as it should, so the vehicle takes the update back by itself.',
        'Please leave the vehicle parked until this is finished.',
      ],
    },
    check: {
      headline: 'One moment',
      sentences: ['The vehicle checks that the update is genuine and fits.'],
    },
  },
  remaining: ({ low, high }) => {
    if (high <= 1) return 'Less than a minute left';
    return low === high ? `About ${high} minutes left` : `${low} to ${high} minutes left`;
  },
  overdue: 'This takes longer than expected. Nothing is lost; the vehicle goes on by itself.',
  interrupted: 'The vehicle was interrupted and finishes what it had begun.',
  agreedFor: (step, date) => ({
    headline: step === 'activate' ? `Restart on ${date}` : `Installation on ${date}`,
    sentences: [
      step === 'activate'
        ? 'The vehicle must be parked then. If it is not, it waits until it is.'
        : 'You can use the vehicle until then, and meanwhile. You are asked again before it restarts.',
    ],
  }),
  postponedUntil: (date) => ({
    headline: 'Put off',
    sentences: [`You are asked again on ${date}. Until then the vehicle stays as it is.`],
  }),
  declined: {
    headline: 'You said no',
    sentences: ['The vehicle stays as it is. You are not asked again for this update.'],
  },
  answered: {
    headline: 'Thank you',
    sentences: [
      'Your answer is noted. The vehicle goes on as soon as it reaches its maker’s server.',
    ],
  },
  waiting: {
    conditions: {
      headline: 'Almost ready to restart',
      sentences: ['The vehicle goes on by itself as soon as the following is so:'],
    },
    campaign: {
      headline: 'Not just yet',
      sentences: [
        'This update asks for something that is not so at the moment, such as a fuller battery. It goes on by itself; you can drive.',
      ],
    },
    unreadable: {
      headline: 'The update cannot begin',
      sentences: [
        'The vehicle does not understand what this update asks for. The maker is told; there is nothing for you to do.',
      ],
    },
    hours: {
      headline: 'The update waits for its hours',
      sentences: [
        'The maker lets it change over at certain hours only. It goes on by itself then; you can drive.',
      ],
    },
    metered: {
      headline: 'The update waits for another network',
      sentences: [
        'It is not downloaded by mobile data. Park where the vehicle has Wi-Fi, and it goes on by itself.',
      ],
    },
    ended: {
      headline: 'The update is no longer offered',
      sentences: ['Its time has ended, and nothing was changed. There is nothing for you to do.'],
    },
    network: {
      headline: 'No connection',
      sentences: [
        'The vehicle cannot reach its maker’s server. It tries again by itself; you can drive.',
      ],
    },
    storage: {
      headline: 'Not enough room',
      sentences: [
        'The vehicle has no room for this update. It is safe to drive; a workshop can help.',
      ],
    },
    ecu: {
      headline: 'A part does not answer',
      sentences: [
        'The update waits until every part of the vehicle answers. The vehicle is as before.',
        'If this stays, a workshop should look at it.',
      ],
    },
    technician: {
      headline: 'A workshop has to be there',
      sentences: ['One part of this update is done by a technician. Please make an appointment.'],
    },
    exhausted: {
      headline: 'The update could not be installed',
      sentences: [
        'It was tried several times. Your vehicle is as before and safe to drive.',
        'The maker knows of it. A workshop can help.',
      ],
    },
    refused: {
      headline: 'An update was refused',
      sentences: [
        'It could not be proved genuine, so nothing was installed. Your vehicle is as before and safe to drive.',
        'The maker is told of it. There is nothing for you to do.',
      ],
    },
    question: {
      headline: 'A question waits for you',
      sentences: ['It is asked here as soon as the vehicle reaches its maker’s server.'],
    },
    other: {
      headline: 'The update waits',
      sentences: ['The vehicle tries again by itself. It is as before and safe to drive.'],
    },
  },
  conditions: {
    'no-emergency-call': 'No emergency call is under way.',
    'standing-still': 'The vehicle stands still.',
    'gear-park': 'The gear is in park.',
    'parking-brake': 'The parking brake is on.',
    'not-starting': 'Nobody starts the vehicle.',
    'not-charging': 'The charging cable is not charging.',
    voltage: 'The 12 V battery is full enough.',
    temperature: 'It is neither too cold nor too hot.',
    'hood-closed': 'The hood is closed.',
  },
  otherCondition: 'The vehicle is ready to be out of use for a while.',
  endings: (ending, ecus) => {
    if (ending === 'success') {
      return {
        headline: 'The update is installed',
        sentences: ['Every part has started with its new software and is well.'],
      };
    }
    if (ending === 'unchanged') {
      return {
        headline: 'Your vehicle is as before',
        sentences: [
          'The update could not be installed, and everything is as it was. The vehicle is safe to drive.',
          'The maker knows of it. There is nothing for you to do.',
        ],
      };
    }
    return {
      headline: 'A workshop has to look at your vehicle',
      sentences: [
        `This part is neither on its new nor on its old software for certain: ${ecus}.`,
        'Please do not drive. Call your workshop or roadside assistance, and show them this page.',
      ],
    };
  },
  earlier: 'Earlier',
  endingShort: {
    success: 'Installed',
    unchanged: 'Not installed; as before',
    workshop: 'Workshop needed',
  },
  decisionShort: { accepted: 'yes', declined: 'no', postponed: 'later' },
  refusals: {
    PAIRING_CODE: 'That is not the code. Please look again; a new one may be shown.',
    SESSION: 'This screen is not connected any more.',
    RATE: 'Too many attempts. Please wait a minute.',
    CROSS_SITE: 'That did not come from this page, so nothing was done.',
    DRIVING: 'The vehicle is not parked. Nothing was changed.',
    NOT_AUTHORISED: 'You may not decide on this. Nothing was changed.',
    POSTPONE_BUDGET: 'It cannot be put off any more. You can still say yes or no.',
    TIME_NOT_ALLOWED: 'That time cannot be chosen. Please take another one.',
    TEXT_CHANGED: 'The question has changed meanwhile. Please read it again.',
    NOT_ASKED: 'That is not asked any more.',
    OTHER: 'That did not work. Nothing was changed.',
  },
};
