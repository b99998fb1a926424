import{a,b}from"/static/chunk-CPG2JTOS.js";import"/static/chunk-3225FBN4.js";import"/static/chunk-D6N7XTB3.js";export{b as FieldTable,a as Search};
//# sourceMappingURL=/static/search-5DGH3SM6.js.map
