/** What an implementation takes that this machine may not have. */
import type { CampaignSettings } from "../conformance/check/campaign.js";
import { driverFile, Unavailable } from "../impl/linux/index.js";
import { complain } from "./output.js";

/** Is there what it takes to run an implementation? A line says what is missing. */
export const canRun = ({ impl }: Pick<CampaignSettings, "impl">): boolean => {
  try {
    if (impl === "linux") driverFile();
    return true;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    complain(error.message);
    return false;
  }
};
