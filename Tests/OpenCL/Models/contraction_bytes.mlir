// Products of bytes in words of four that follow each other in memory, signed with unsigned; the sums are scaled.
// kernels: ui8 %.* \* i8 %
func.func @main(%x: tensor<2x5x20xui8>, %y: tensor<2x20x70xi8>, %s: tensor<70xf32>) -> tensor<2x5x70xf32> {
  %0 = stablehlo.dot_general %x, %y, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<2x5x20xui8>, tensor<2x20x70xi8>) -> tensor<2x5x70xi32>
  %1 = stablehlo.convert %0 : (tensor<2x5x70xi32>) -> tensor<2x5x70xf32>
  %2 = stablehlo.broadcast_in_dim %s, dims = [2] : (tensor<70xf32>) -> tensor<2x5x70xf32>
  %3 = stablehlo.multiply %1, %2 : tensor<2x5x70xf32>
  return %3 : tensor<2x5x70xf32>
}
