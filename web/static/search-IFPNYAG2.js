import{a,b}from"/static/chunk-E6L6UWFA.js";import"/static/chunk-FSUYHCEM.js";import"/static/chunk-J3DG75YC.js";import"/static/chunk-7VC74MZS.js";import"/static/chunk-Z7PYVXE6.js";import"/static/chunk-6NHI5T4Z.js";export{b as FieldTable,a as Search};
//# sourceMappingURL=/static/search-IFPNYAG2.js.map
