// Tiles of four vectors, as many rows as come, and a last panel that is not full.
func.func @main(%x: tensor<?x21xf32>, %y: tensor<21x64xf32>, %z: tensor<21x50xf32>, %v: tensor<13x9xf64>, %w: tensor<9x23xf64>) -> (tensor<?x64xf32>, tensor<?x50xf32>, tensor<13x23xf64>) {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<?x21xf32>, tensor<21x64xf32>) -> tensor<?x64xf32>
  %1 = stablehlo.dot_general %x, %z, contracting_dims = [1] x [0] : (tensor<?x21xf32>, tensor<21x50xf32>) -> tensor<?x50xf32>
  %2 = stablehlo.dot_general %v, %w, contracting_dims = [1] x [0] : (tensor<13x9xf64>, tensor<9x23xf64>) -> tensor<13x23xf64>
  return %0, %1, %2 : tensor<?x64xf32>, tensor<?x50xf32>, tensor<13x23xf64>
}
