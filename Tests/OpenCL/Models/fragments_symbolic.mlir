// Fragments where the extents, known when the program runs, are large enough.
// kernels: fragments of f16
func.func @main(%x: tensor<?x?xf16>, %y: tensor<?x17xf16>) -> tensor<?x17xf16> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<?x?xf16>, tensor<?x17xf16>) -> tensor<?x17xf16>
  return %0 : tensor<?x17xf16>
}
