import{a,b}from"/static/chunk-4H4EZTQG.js";import"/static/chunk-E5OVU3TB.js";import"/static/chunk-P5SA66F6.js";import"/static/chunk-HRFKWYIR.js";import"/static/chunk-MXW6YSOY.js";import"/static/chunk-W6U2DTJM.js";export{b as FieldTable,a as Search};
//# sourceMappingURL=/static/search-4Z5KFLB2.js.map
