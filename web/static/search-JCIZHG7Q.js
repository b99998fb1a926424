import{a,b}from"/static/chunk-YKILTH6N.js";import"/static/chunk-DOKPEW3Z.js";import"/static/chunk-VNA6LNWE.js";import"/static/chunk-PG3L7FTD.js";import"/static/chunk-HLLU4SND.js";import"/static/chunk-GKCIXMW2.js";export{b as FieldTable,a as Search};
//# sourceMappingURL=/static/search-JCIZHG7Q.js.map
