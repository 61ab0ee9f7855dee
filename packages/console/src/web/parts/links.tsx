/** Mantine's looks on the router's links. */
import { Anchor, type AnchorProps, Button, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ReactNode, Ref } from 'react';

type Rest<Own> = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof Own> & {
  readonly ref?: Ref<HTMLAnchorElement>;
};

function Text(props: AnchorProps & Rest<AnchorProps>): ReactNode {
  return <Anchor {...props} />;
}
function Key(props: ButtonProps & Rest<ButtonProps>): ReactNode {
  return <Button component="a" {...props} />;
}

/** A link in a text or a table. */
export const TextLink = createLink(Text);
/** A link that looks like a button. */
export const ButtonLink = createLink(Key);
