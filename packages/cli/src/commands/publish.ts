/** `immota publish DIR`: the repositories as files for any CDN or web server. */
import { publishTree } from '@immota/cloud';
import { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { withCloud } from './pki.ts';

/** Adds `immota publish` to the command. */
export function publishCommand(context: CommandContext): Command {
  return new Command('publish')
    .description('write metadata and images as a tree that any web server or CDN serves')
    .argument('<dir>', 'the folder; "current" in it is the tree in force')
    .action(async (folder: string) => {
      await withCloud(context, async (cloud) => {
        const { metadataFiles, images, folder: tree } = await publishTree(cloud, folder);
        context
          .output()
          .result(
            { metadataFiles, images, tree },
            () => `Wrote ${metadataFiles} metadata files and ${images} images to ${tree}`,
          );
      });
    });
}
