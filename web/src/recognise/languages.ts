/** The readers of Terraform and of Bicep, which are loaded together. */

export { readBicep } from "./bicep";
export { readTerraform } from "./terraform";
