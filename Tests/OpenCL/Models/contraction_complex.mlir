// What has no tiles is computed element by element.
func.func @main(%x: tensor<5x9xcomplex<f32>>, %y: tensor<9x4xcomplex<f32>>) -> tensor<5x4xcomplex<f32>> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<5x9xcomplex<f32>>, tensor<9x4xcomplex<f32>>) -> tensor<5x4xcomplex<f32>>
  return %0 : tensor<5x4xcomplex<f32>>
}
