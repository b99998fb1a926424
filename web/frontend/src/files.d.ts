declare module "*.json" {
  /** Where the file is; it is asked for when it is needed. */
  const url: string;
  export default url;
}
