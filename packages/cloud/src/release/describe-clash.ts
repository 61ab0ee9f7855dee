/** Facts of a clash in words. */
import { unreachable } from '@immota/base';
import type { ClashFact } from './explain-path.ts';

/** Says a fact in one sentence. */
export function describeFact(fact: ClashFact): string {
  switch (fact.kind) {
    case 'runs': {
      const { ecu, hardwareIdentifier, image } = fact.ecu;
      const what = image === '' ? 'runs what no image of ours is' : `runs "${image}"`;
      return `ECU "${ecu}" (${hardwareIdentifier}) ${what}.`;
    }
    case 'goal': {
      const { hardwareIdentifier, image, isAbsent } = fact;
      return isAbsent
        ? `The release is for "${hardwareIdentifier}", and the vehicle has none.`
        : `The release wants "${image}" on "${hardwareIdentifier}".`;
    }
    case 'installs-over': {
      const { name, installsOver } = fact.image;
      const below = installsOver === 'any' ? [] : [...installsOver];
      return below.length === 0
        ? `"${name}" installs over nothing.`
        : `"${name}" installs over ${listed(below)} alone.`;
    }
    case 'requires': {
      const { hardwareIdentifier, images } = fact.constraint;
      return `"${fact.image.name}" runs only beside ${listed([...images])} on "${hardwareIdentifier}".`;
    }
    case 'conflicts': {
      const { hardwareIdentifier, images } = fact.constraint;
      return `"${fact.image.name}" never runs beside ${listed([...images])} on "${hardwareIdentifier}".`;
    }
    case 'bound':
      return 'The search ended at its bound: there may be a way that was not found.';
    default:
      return unreachable(fact);
  }
}

function listed(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' or ');
}
