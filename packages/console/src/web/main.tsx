/** Where the browser begins. */
import '@mantine/core/styles.css';
import './app/theme.css';
import './app/console.css';
import './app/screens.css';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { startLanguages } from './app/i18n.ts';

await startLanguages();
const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<App />);
