// Said before anything is drawn: a script will show a part of the table, so the rest need not be laid out.
"use strict";
document.documentElement.classList.add("scripted");
