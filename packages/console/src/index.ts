/** The web console: made for the browser once, and served as files by whoever runs the cloud. */
export {};
