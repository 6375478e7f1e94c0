// The live page: asks for /state and shows it.

import { ask } from "./polling.js";

ask();
