import{a,b}from"/static/chunk-5MTXRXAK.js";import"/static/chunk-2DIQD3LB.js";import"/static/chunk-IDAX3UQA.js";import"/static/chunk-ATQHQMT7.js";import"/static/chunk-UUGDAWHF.js";import"/static/chunk-FS2CJHXS.js";export{b as FieldTable,a as Search};
//# sourceMappingURL=/static/search-SHG6A5ZD.js.map
